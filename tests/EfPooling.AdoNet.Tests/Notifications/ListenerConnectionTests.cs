namespace EfPooling.AdoNet.Tests;

/// <summary>The one server connection that listens: when there is one, and what it is told.</summary>
public sealed class ListenerConnectionTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task HundredSubscribers_HaveOneBackend_WhichIsClosedAfterTheLastOneLeft()
    {
        var pool = CreatePool();
        var subscribers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Subscriber.BeginAsync(pool, $"channel {i % 10}")));
        Assert.Single(await BackendsOfAsync(pool));
        Assert.Equal(0, pool.GetSnapshot().ServerConnections);
        foreach (var subscriber in subscribers.Skip(1))
        {
            await subscriber.DisposeAsync();
        }

        await PrepareDatabaseAsync("NOTIFY \"channel 0\", 'still here'");
        Assert.Equal(["still here"], await subscribers[0].PayloadsAsync(1));
        await subscribers[0].DisposeAsync();

        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
    }

    [Fact]
    public async Task NobodySubscribed_NoBackend_UntilTheStreamIsRead()
    {
        var pool = CreatePool();
        var stream = pool.SubscribeAsync("orders");
        Assert.Empty(await BackendsOfAsync(pool));

        await using var subscriber = new Subscriber(stream.GetAsyncEnumerator());
        Assert.True((await subscriber.NextAsync()).IsGap);

        Assert.Single(await BackendsOfAsync(pool));
    }

    [Fact]
    public async Task SubscribingAgainAfterTheLastOneLeft_Works()
    {
        var pool = CreatePool();
        for (var round = 0; round < 20; round++)
        {
            await using var subscriber = await Subscriber.BeginAsync(pool, "orders");
            await PrepareDatabaseAsync($"NOTIFY orders, '{round}'");
            Assert.Equal([$"{round}"], await subscriber.PayloadsAsync(1));
        }

        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
    }

    [Fact]
    public async Task Listener_TakesNoSlotOfThePool()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("NOTIFY orders, 'from the only slot'");

        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");
        await transaction.CommitAsync();

        Assert.Equal(["from the only slot"], await subscriber.PayloadsAsync(1));
        Assert.Equal(1, pool.GetSnapshot().ServerConnections);
    }

    [Fact]
    public async Task Channel_IsListenedToOnce_AndUnlistenedAfterItsLastSubscriber()
    {
        using var log = new CapturedLog();
        var pool = CreatePool(build: builder => builder.UseLoggerFactory(log));
        await using var steady = await Subscriber.BeginAsync(pool, "steady");
        await using (await Subscriber.BeginAsync(pool, "orders"))
        {
            await using (await Subscriber.BeginAsync(pool, "orders"))
            {
            }
        }

        await using var later = await Subscriber.BeginAsync(pool, "later");

        Assert.Equal(1, Count("LISTEN \"orders\"") - Count("UNLISTEN \"orders\""));
        Assert.Equal(1, Count("UNLISTEN \"orders\""));
        Assert.Equal(0, Count("UNLISTEN \"steady\""));

        int Count(string statement) => log.Commands.Count(text => text.Contains(statement, StringComparison.Ordinal));
    }

    [Fact]
    public async Task PoolsOfOneFamily_HaveAListenerEach()
    {
        var pool = CreatePool();
        var other = pool.GetDatabase("postgres");
        await using var here = await Subscriber.BeginAsync(pool, "orders");
        await using var there = await Subscriber.BeginAsync(other, "orders");
        await using (var connection = await other.OpenConnectionAsync())
        {
            await connection.RunAsync("NOTIFY orders, 'there'");
        }

        await PrepareDatabaseAsync("NOTIFY orders, 'here'");

        Assert.Equal(["here"], await here.PayloadsAsync(1));
        Assert.Equal(["there"], await there.PayloadsAsync(1));
    }

    [Fact]
    public async Task ExistingDataSource_OpensTheListener_AndItsBackendIsReallyClosed()
    {
        await using var npgsql = Npgsql.NpgsqlDataSource.Create($"{ConnectionString};Application Name=existing listener");
        var pool = Watch(new TransactionPoolingDataSourceBuilder(npgsql).Build());
        await using (var subscriber = await Subscriber.BeginAsync(pool, "orders"))
        {
            await PrepareDatabaseAsync("NOTIFY orders, '1'");
            Assert.Equal(["1"], await subscriber.PayloadsAsync(1));
        }

        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
        await pool.DisposeAsync();
    }

    [Fact]
    public async Task Listener_TakesNoPartInTheTransactionOfWhoeverSubscribesFirst()
    {
        var pool = CreatePool();
        using var scope = new System.Transactions.TransactionScope(System.Transactions.TransactionScopeAsyncFlowOption.Enabled);
        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");
        await PrepareDatabaseAsync("NOTIFY orders, '1'");

        Assert.Equal(["1"], await subscriber.PayloadsAsync(1));
    }
}
