using EfPooling.Core.Tests.Harness;
using FsCheck;
using FsCheck.Fluent;

namespace EfPooling.Core.Tests;

public sealed class OptionsValidationTests
{
    public static TheoryData<string, PoolOptions> BadValues => new()
    {
        { "MaxPoolSize is 0; it must be between 1 and 10000.", new PoolOptions { MaxPoolSize = 0 } },
        { "MaxPoolSize is 10001; it must be between 1 and 10000.", new PoolOptions { MaxPoolSize = 10_001 } },
        { "MinPoolSize is 21; it must be between 0 and 20.", new PoolOptions { MinPoolSize = 21 } },
        { "MinPoolSize is -1; it must be between 0 and 20.", new PoolOptions { MinPoolSize = -1 } },
        { "ReservePoolSize is -1; it must be between 0 and 10000.", new PoolOptions { ReservePoolSize = -1 } },
        { "MaxConcurrentOpens is 0; it must be between 1 and 1000.", new PoolOptions { MaxConcurrentOpens = 0 } },
        { "ReservePoolTimeout is 00:00:00; it must be greater than zero", new PoolOptions { ReservePoolTimeout = TimeSpan.Zero } },
        { "ServerConnectTimeout is 00:00:00; it must be greater than zero", new PoolOptions { ServerConnectTimeout = TimeSpan.Zero } },
        { "ServerLoginRetry is -00:00:01; it must be greater than zero", new PoolOptions { ServerLoginRetry = TimeSpan.FromSeconds(-1) } },
        { "ServerLifetime is -00:00:01; it must be between zero", new PoolOptions { ServerLifetime = TimeSpan.FromSeconds(-1) } },
        { "ServerIdleTimeout is 100.00:00:00; it must be between zero", new PoolOptions { ServerIdleTimeout = TimeSpan.FromDays(100) } },
        { "QueryWaitTimeout is -00:00:00.0010000; it must be between zero", new PoolOptions { QueryWaitTimeout = Timeout.InfiniteTimeSpan } },
        { "ServerCheckDelay is -00:00:01; it must be between zero", new PoolOptions { ServerCheckDelay = TimeSpan.FromSeconds(-1) } },
    };

    [Theory, MemberData(nameof(BadValues))]
    public void Constructor_NamesTheBadValueAndTheAllowedRange(string sentence, PoolOptions options)
    {
        var error = Assert.Throws<InvalidPoolOptionsException>(() => new ServerConnectionPool<FakeConnection>(options, new FakeConnector()));
        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(sentence, Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_AreValid_AndTheOnesPromised()
    {
        var options = new PoolOptions();
        options.ThrowIfInvalid();
        Assert.Equal((20, 0, 0, 4), (options.MaxPoolSize, options.MinPoolSize, options.ReservePoolSize, options.MaxConcurrentOpens));
        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.FromHours(1)), (options.ServerLifetime, options.ServerIdleTimeout));
        Assert.Equal((TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30)), (options.QueryWaitTimeout, options.ServerCheckDelay));
        Assert.Equal((TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(15)), (options.ServerConnectTimeout, options.ServerLoginRetry));
        Assert.Equal((TimeSpan.FromSeconds(5), false), (options.ReservePoolTimeout, options.ServerRoundRobin));
    }

    [Fact]
    public void Validate_NeedsAList() => Assert.Throws<ArgumentNullException>(() => new PoolOptions().Validate(null!));

    [Fact]
    public void Validate_ReportsEveryBadSizeByName_AndNoGoodOne()
    {
        var sizes = Gen.OneOf(Gen.Choose(-2, 25), Gen.Choose(9_990, 10_010));
        var all = from max in sizes from min in sizes from reserve in sizes from opens in sizes select (max, min, reserve, opens);
        Prop.ForAll(all.ToArbitrary(), v =>
        {
            var options = new PoolOptions { MaxPoolSize = v.max, MinPoolSize = v.min, ReservePoolSize = v.reserve, MaxConcurrentOpens = v.opens };
            var expected = new List<string>();
            Expect(nameof(PoolOptions.MaxPoolSize), v.max is < 1 or > 10_000);
            Expect(nameof(PoolOptions.MinPoolSize), v.min < 0 || v.min > Math.Max(0, v.max));
            Expect(nameof(PoolOptions.ReservePoolSize), v.reserve is < 0 or > 10_000);
            Expect(nameof(PoolOptions.MaxConcurrentOpens), v.opens is < 1 or > 1_000);
            return Errors(options).Select(e => e.Split(' ')[0]).SequenceEqual(expected);

            void Expect(string name, bool bad) => expected.AddRange(bad ? [name] : []);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Validate_AcceptsWhatThePoolCanRunWith()
    {
        // Whatever passes validation must be usable: no timer and no wait may refuse it later.
        var days = Gen.Choose(0, 60);
        var all = from wait in days from retry in days from reserve in days from life in days select (wait, retry, reserve, life);
        Prop.ForAll(all.ToArbitrary(), v =>
        {
            var options = new PoolOptions
            {
                MaxPoolSize = 1,
                ReservePoolSize = 1,
                QueryWaitTimeout = TimeSpan.FromDays(v.wait),
                ServerLoginRetry = TimeSpan.FromDays(v.retry),
                ReservePoolTimeout = TimeSpan.FromDays(v.reserve),
                ServerLifetime = TimeSpan.FromDays(v.life),
            };
            return Errors(options).Count > 0 || (options.QueryWaitTimeout.TotalMilliseconds <= int.MaxValue
                && options.ReservePoolTimeout.TotalMilliseconds <= int.MaxValue
                && options.ServerLoginRetry.TotalMilliseconds * 1.1 <= uint.MaxValue - 1);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public async Task TheLongestTimesAllowed_WorkForSyncCallersToo()
    {
        var longest = TimeSpan.FromDays(24);
        using var pool = PoolHarness.Create(o => (o.QueryWaitTimeout, o.ReservePoolSize, o.ReservePoolTimeout, o.ServerLoginRetry) = (longest, 1, longest, longest)).Occupy(2);
        var caller = pool.Acquire(CallerKind.Sync);
        pool.Vacate();
        (await caller).Release();
    }

    private static List<string> Errors(PoolOptions options)
    {
        var errors = new List<string>();
        options.Validate(errors);
        return errors;
    }
}
