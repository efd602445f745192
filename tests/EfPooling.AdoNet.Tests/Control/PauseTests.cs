using EfPooling.Core;
using EfPooling.Dev;

namespace EfPooling.AdoNet.Tests;

public sealed class PauseTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory, InlineData(MultiplexingMode.Auto), InlineData(MultiplexingMode.Off)]
    public async Task Pause_UnderLoadOf200Callers_SendsNothing_AndNobodyFails(MultiplexingMode multiplexing)
    {
        await PrepareDatabaseAsync(Workload.Table);
        var log = new CapturedLog();
        var pool = CreateUnshuffledPool(maxPoolSize: 8, configure: options => options.Multiplexing = multiplexing, build: builder => builder.UseLoggerFactory(log));
        var work = Workload.Start(pool, callers: 200);
        for (var round = 0; round < 3; round++)
        {
            await work.AdvanceAsync(500);
            await pool.PauseAsync();
            Assert.True(pool.GetSnapshot() is { IsPaused: true, ServerConnections: 0, Opening: 0, InUse: 0 }, pool.GetSnapshot().ToString());
            await WaitForBackendsAsync(pool, backends => backends.Count == 0);
            var (done, sent, opened) = (work.Done, log.Commands.Count(), pool.GetSnapshot().Opened);
            for (var look = 0; look < 10; look++)
            {
                Assert.Empty(await BackendsOfAsync(pool));
            }

            Assert.Equal((sent, opened), (log.Commands.Count(), pool.GetSnapshot().Opened));
            Assert.InRange(work.Done - done, 0, 200); // Who had an answer may have counted it meanwhile.
            Assert.True(pool.Resume());
        }

        await work.AdvanceAsync(500);
        await work.StopAsync();
        Assert.Equal(0, pool.GetSnapshot().WaitTimeouts);
    }

    [Fact]
    public async Task RunningTransaction_GoesOnToItsEnd()
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 2);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("CREATE TABLE paused (n int)");
        var pause = pool.PauseAsync(TestContext.Current.CancellationToken);
        await connection.RunAsync("INSERT INTO paused VALUES (1)");
        Assert.False(pause.IsCompleted);
        await transaction.CommitAsync();
        await pause;
        var next = connection.AskAsync<long>("SELECT count(*) FROM paused");
        Assert.False(next.IsCompleted);
        pool.Resume();
        Assert.Equal(1, await next);
    }

    [Fact]
    public async Task WaitingCaller_TimesOut_AndTheMessageSaysThatThePoolIsPaused()
    {
        var time = new ManualTimeProvider();
        var pool = CreateUnshuffledPool(configure: options => options.QueryWaitTimeout = TimeSpan.FromSeconds(30), build: builder => builder.UseTimeProvider(time));
        await using var connection = await pool.OpenConnectionAsync();
        await pool.PauseAsync();
        var waiting = connection.AskAsync<int>("SELECT 1");
        while (pool.GetSnapshot().Waiting == 0)
        {
            await Task.Yield();
        }

        time.Advance(TimeSpan.FromSeconds(30));
        var error = await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => waiting);
        Assert.Contains("The pool is paused", error.Message, StringComparison.Ordinal);
        pool.Resume();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task WhoAsksForThePoolByItsSettings_GetsThePausedOne_HoweverLongItIsPaused()
    {
        var time = new ManualTimeProvider();
        var pools = new PoolDirectory<string, TransactionPoolingDataSource>();
        var pool = Watch(pools.GetOrCreate("key", Create));
        await pool.PauseAsync();
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromHours(3); passed += TimeSpan.FromMinutes(1))
        {
            time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.True(((IKeptPool)pool).IsInUse(out _));
        Assert.Same(pool, pools.GetOrCreate("key", Create));
        pool.Resume();
        Assert.False(((IKeptPool)pool).IsInUse(out _));

        TransactionPoolingDataSource Create()
            => new TransactionPoolingDataSourceBuilder($"{ConnectionString};Application Name=paused by key").UseTimeProvider(time).Build();
    }

    [Fact]
    public async Task Subscription_GoesOnBesideThePausedPool()
    {
        var pool = CreateUnshuffledPool();
        await using var notifications = pool.SubscribeAsync("paused").GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await notifications.MoveNextAsync());
        await pool.PauseAsync();
        await PrepareDatabaseAsync("NOTIFY paused, 'hello'");
        Assert.True(await notifications.MoveNextAsync());
        Assert.Equal("hello", notifications.Current.Payload);
        pool.Resume();
    }

    [Fact]
    public async Task RestartOfTheServer_DuringAPause_FailsNobody()
    {
        await using var server = await DevPostgres.StartAsync();
        await using var pool = TransactionPoolingDataSource.Create(server.ConnectionString, options => options.MaxPoolSize = 4);
        await using (var connection = await pool.OpenConnectionAsync())
        {
            await connection.RunAsync(Workload.Table);
        }

        var work = Workload.Start(pool, callers: 20);
        for (var restart = 0; restart < 2; restart++)
        {
            await work.AdvanceAsync(100);
            await pool.PauseAsync();
            await server.StopAsync();
            await server.StartAgainAsync();
            pool.Resume();
        }

        await work.AdvanceAsync(100);
        await work.StopAsync();
        await VerifyWholeAsync(pool);
    }
}
