using System.Runtime.CompilerServices;
using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

/// <summary>A pool that nobody created by name goes when it was not used for PoolIdleTimeout, and is never there twice.</summary>
public sealed class PoolIdleTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Period = PoolIdleWatch.PeriodOf(Hour);

    private readonly ManualTimeProvider _time = new();
    private readonly PoolDirectory<string, TransactionPoolingDataSource> _pools = new();

    [Fact]
    public async Task UnusedPool_ClosesItsServerConnections_ForgetsTheCatalog_AndGoes()
    {
        await UseAndForgetAsync("goes", options => options.MinPoolSize = 2);
        Assert.Equal(2, await CountAsync("goes"));
        PassTime(Hour - Period);
        Assert.True(Exists);
        Assert.Equal(2, await CountAsync("goes"));

        PassTime(2 * Period);

        await WaitForNoneAsync("goes");
        CollectUntilEmpty();
    }

    [Fact]
    public async Task UnusedPoolThatSomebodyHas_GoesOn_AndIsFoundByOthers()
    {
        var pool = Watch(Get("kept"));
        await UseAsync(pool);
        PassTime(Hour + Period);
        Assert.Equal(0, pool.GetSnapshot().ServerConnections);
        Assert.False(pool.Catalog.IsKnown);
        Assert.Equal(RetireReason.Idle, pool.GetSnapshot().Retired.Keys.Single());
        Collect();

        Assert.Same(pool, Get("kept"));
        await UseAsync(pool);
        Assert.True(pool.Catalog.IsKnown);
        PassTime(Hour + Period);
        Assert.Equal(0, pool.GetSnapshot().ServerConnections);
        await UseAsync(pool); // By whoever has had it all the time.
        Collect();
        Assert.Same(pool, Get("kept"));
    }

    [Fact]
    public async Task PoolThatIsUsedAgain_IsKept_ThoughWhoeverHadItForgetsIt()
    {
        await UseAcrossTheEndAsync("kept again");
        PassTime(Period); // Sees that it is used.
        Collect();
        Assert.Equal(1, await CountAsync("kept again"));
        Assert.True(Exists);
        await Watch(Get("kept again")).DisposeAsync();
        Assert.Equal(0, _pools.Count);
    }

    [Theory]
    [InlineData("lease")]
    [InlineData("waiter")]
    [InlineData("open connection")]
    [InlineData("subscription")]
    public async Task PoolThatIsUsed_KeepsItsServerConnections(string use)
    {
        var pool = Watch(Get(use, options => (options.MaxPoolSize, options.QueryWaitTimeout) = (1, TimeSpan.Zero)));
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT 1");
        var end = await BeginAsync(use, pool, connection);
        PassTime(2 * Hour);
        Assert.True(await CountAsync(use) > 0);
        Assert.Equal(1, pool.GetSnapshot().ServerConnections);

        await end();
        await connection.CloseAsync();
        PassTime(Hour - Period);
        Assert.Equal(1, pool.GetSnapshot().ServerConnections);
        PassTime(3 * Period);
        Assert.Equal(0, pool.GetSnapshot().ServerConnections);
    }

    [Fact]
    public async Task OpenConnectionThatWasForgotten_DoesNotKeepThePool()
    {
        await OpenAndForgetAsync("forgotten while open");
        PassTime(Hour + Period);
        await WaitForNoneAsync("forgotten while open", Collect);
        CollectUntilEmpty();
    }

    [Fact]
    public async Task PoolIdleTimeoutZero_KeepsThePool()
    {
        await UseAndForgetAsync("zero", options => options.PoolIdleTimeout = TimeSpan.Zero);
        PassTime(30 * Hour);
        Collect();
        Assert.True(Exists);
        await Watch(Get("zero")).DisposeAsync();
    }

    [Fact]
    public async Task DataSourceThatTheUserCreated_IsNotTouched_ButThoseReachedFromItAre()
    {
        var root = CreateUnshuffledPool(build: builder => builder.UseTimeProvider(_time), configure: options => (options.ServerIdleTimeout, options.ServerLifetime) = (TimeSpan.Zero, TimeSpan.Zero));
        await UseAsync(root);
        var other = root.GetDatabase("postgres");
        await UseAsync(other);
        PassTime(3 * Hour);
        Assert.Equal(1, root.GetSnapshot().ServerConnections);
        Assert.Equal(0, other.GetSnapshot().ServerConnections);
        Assert.Same(other, root.GetDatabase("postgres"));
        await UseAsync(other);
        await root.DisposeAsync();
        Assert.Equal(PoolPhase.Closed, other.GetSnapshot().Phase);
    }

    [Fact]
    public void PoolThatCannotBeMade_IsNotRemembered()
    {
        Assert.Throws<InvalidPoolOptionsException>(() => Get("mistake", options => options.MaxPoolSize = 0));
        Assert.Equal(0, _pools.Count);
        Assert.Throws<InvalidPoolOptionsException>(() => Get("mistake", options => options.PoolIdleTimeout = TimeSpan.FromSeconds(-1)));
        Watch(Get("mistake"));
    }

    private bool Exists => _pools.Existing.Any();

    private TransactionPoolingDataSource Get(string applicationName, Action<TransactionPoolingOptions>? configure = null)
        => _pools.GetOrCreate(
            applicationName,
            () => new TransactionPoolingDataSourceBuilder($"{ConnectionString};Application Name={applicationName}").UseTimeProvider(_time).ConfigureOptions(options =>
            {
                (options.Shuffle, options.ServerIdleTimeout, options.ServerLifetime) = (false, TimeSpan.Zero, TimeSpan.Zero);
                configure?.Invoke(options);
            }).Build());

    private static async Task UseAsync(TransactionPoolingDataSource pool)
    {
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT 1");
    }

    private static async Task<Func<Task>> BeginAsync(string use, TransactionPoolingDataSource pool, LogicalConnection connection)
    {
        switch (use)
        {
            case "lease":
                var transaction = await connection.BeginTransactionAsync();
                await connection.RunAsync("SELECT 1");
                return () => transaction.CommitAsync();
            case "waiter":
                var holder = await connection.BeginTransactionAsync();
                await connection.RunAsync("SELECT 1");
                var other = await pool.OpenConnectionAsync();
                var waiting = other.RunAsync("SELECT 1");
                return async () =>
                {
                    await holder.CommitAsync();
                    await waiting;
                    await other.DisposeAsync();
                };
            case "subscription":
                await connection.CloseAsync();
                var subscription = pool.SubscribeAsync("news").GetAsyncEnumerator();
                Assert.True(await subscription.MoveNextAsync());
                return async () => await subscription.DisposeAsync();
            default:
                return () => Task.CompletedTask;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task UseAndForgetAsync(string applicationName, Action<TransactionPoolingOptions> configure)
    {
        var pool = Get(applicationName, configure);
        await UseAsync(pool);
        while (pool.GetSnapshot() is { } snapshot && snapshot.Idle < pool.Options.MinPoolSize)
        {
            await Task.Yield(); // Opens under way.
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task UseAcrossTheEndAsync(string applicationName)
    {
        var pool = Get(applicationName);
        await UseAsync(pool);
        PassTime(Hour + Period);
        Assert.Equal(0, pool.GetSnapshot().ServerConnections);
        await UseAsync(pool);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task OpenAndForgetAsync(string applicationName)
    {
        var connection = await Get(applicationName).OpenConnectionAsync();
        await connection.RunAsync("SELECT 1");
    }

    private void PassTime(TimeSpan time)
    {
        for (var passed = TimeSpan.Zero; passed < time; passed += Period)
        {
            _time.Advance(Period);
        }
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    // The finalizer leaves the rest to the thread pool.
    private void CollectUntilEmpty()
        => Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Collect();
                return _pools.Count == 0;
            },
            Patience));

    private async Task<int> CountAsync(string applicationName)
        => (await Server.QueryActivityAsync()).Count(backend => backend.ApplicationName == applicationName);

    private async Task WaitForNoneAsync(string applicationName, Action? meanwhile = null)
        => await Server.WaitForActivityAsync(
            all =>
            {
                meanwhile?.Invoke();
                return all.All(backend => backend.ApplicationName != applicationName);
            },
            Patience);
}
