using FsCheck;
using FsCheck.Fluent;

namespace EfPooling.Core.Tests;

public sealed class LifetimePolicyTests
{
    private static readonly Arbitrary<(int Seconds, int Size, int Seed)> Cases =
        (from seconds in Gen.Choose(1, 7200) from size in Gen.Choose(1, 100) from seed in Gen.Choose(0, int.MaxValue - 1) select (seconds, size, seed)).ToArbitrary();

    private static LifetimePolicy Policy(int seconds, int size, int seed) => new(
        new PoolOptions { ServerLifetime = TimeSpan.FromSeconds(seconds), MaxPoolSize = size },
        new PoolClock(new ManualTimeProvider()),
        new Random(seed));

    [Fact]
    public void ExpiresAt_IsBetween90And100PercentOfTheLimit()
        => Prop.ForAll(Cases, c =>
        {
            var limit = TimeSpan.FromSeconds(c.Seconds).Ticks;
            var age = Policy(c.Seconds, c.Size, c.Seed).ExpiresAt(1_000) - 1_000;
            return age >= limit * 0.9 && age <= limit;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void ExpiresAt_DiffersBetweenConnectionsOpenedTogether()
    {
        var policy = Policy(3600, 20, seed: 1);
        Assert.Equal(50, Enumerable.Range(0, 50).Select(_ => policy.ExpiresAt(0)).Distinct().Count());
    }

    [Fact]
    public void Retirements_AreSpacedByTheLimitDividedByTheSize()
        => Prop.ForAll(Cases, c =>
        {
            var policy = Policy(c.Seconds, c.Size, c.Seed);
            var limit = TimeSpan.FromSeconds(c.Seconds).Ticks;
            var retirements = new List<long>();
            for (var now = limit; now < limit * 3; now += Math.Max(1, limit / 500))
            {
                if (policy.ShouldRetire(limit, now))
                {
                    policy.Retired(now);
                    retirements.Add(now);
                }
            }

            return retirements[0] == limit && retirements.Zip(retirements.Skip(1)).All(pair => pair.Second - pair.First >= limit / c.Size);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void ShouldRetire_BeforeTheEnd_IsFalse()
        => Prop.ForAll(Cases, c =>
        {
            var policy = Policy(c.Seconds, c.Size, c.Seed);
            var end = policy.ExpiresAt(0);
            return !policy.ShouldRetire(end, end - 1) && policy.ShouldRetire(end, end);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void WithoutLimit_NothingEverExpires()
    {
        var policy = Policy(0, 1, 0);
        Assert.False(policy.ShouldRetire(policy.ExpiresAt(0), long.MaxValue - 1));
    }
}
