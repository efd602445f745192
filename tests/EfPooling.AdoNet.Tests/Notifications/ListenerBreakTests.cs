using EfPooling.Dev;

namespace EfPooling.AdoNet.Tests;

public sealed class ListenerBreakTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task KilledBackend_GivesEverySubscriberOneGap_AndTheStreamGoesOn()
    {
        using var log = new CapturedLog();
        var pool = CreatePool(build: builder => builder.UseLoggerFactory(log));
        await using var first = await Subscriber.BeginAsync(pool, "orders");
        await using var second = await Subscriber.BeginAsync(pool, "products");
        await PrepareDatabaseAsync("NOTIFY orders, 'before'");
        var killed = (await BackendsOfAsync(pool)).Single().ProcessId;

        await Server.TerminateBackendAsync(killed);

        Assert.Equal(["before"], await first.PayloadsAsync(1));
        Assert.True((await first.NextAsync()).IsGap);
        Assert.True((await second.NextAsync()).IsGap);
        Assert.NotEqual(killed, (await BackendsOfAsync(pool)).Single().ProcessId);
        await PrepareDatabaseAsync("NOTIFY orders, 'after'; NOTIFY products, 'after'");
        Assert.Equal(["after"], await first.PayloadsAsync(1));
        Assert.Equal(["after"], await second.PayloadsAsync(1));
        Assert.Equal((1, 1, 0), (log.Count(1120), log.Count(1121), log.Count(1122)));
    }

    [Fact]
    public async Task ServerThatStopsAndStarts_GivesOneGap_AndLateSubscribersAreToldWhatIsWrong()
    {
        await using var server = await DevPostgres.StartAsync();
        using var log = new CapturedLog();
        await using var pool = new TransactionPoolingDataSourceBuilder(server.ConnectionString)
            .ConfigureOptions(options => options.ServerLoginRetry = TimeSpan.FromMilliseconds(100))
            .UseLoggerFactory(log)
            .Build();
        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");

        await server.StopAsync();
        await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(async () =>
        {
            while (true)
            {
                await using var late = await Subscriber.BeginAsync(pool, "orders");
            }
        });
        await server.StartAgainAsync();

        Assert.True((await subscriber.NextAsync()).IsGap);
        await using var sender = await pool.OpenConnectionAsync();
        await sender.RunAsync("NOTIFY orders, 'after'");
        Assert.Equal(["after"], await subscriber.PayloadsAsync(1));
        Assert.Equal((1, 1), (log.Count(1120), log.Count(1121)));
    }

    [Fact]
    public async Task SilentBreak_IsNoticedByTheCheck_WhichATimerSends()
    {
        var time = new ManualTimeProvider();
        await using var relay = new Relay(Server.Host, Server.Port);
        var pool = CreatePool(keywords: $"Host=127.0.0.1;Port={relay.Port}", build: builder => builder.UseTimeProvider(time));
        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");

        relay.FreezeConnections();
        await PrepareDatabaseAsync("NOTIFY orders, 'lost'");
        var next = subscriber.NextAsync();
        while (!next.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        var item = await next;
        Assert.True(item.IsGap);
        while (item.IsGap)
        {
            // The clock ran faster than the server answers: a check of the new connection may have timed out, too, which is a gap of its own.
            await PrepareDatabaseAsync("NOTIFY orders, 'after'");
            item = await subscriber.NextAsync();
        }

        Assert.Equal("after", item.Payload);
    }

    [Fact]
    public async Task QuietListener_IsChecked_AndHearsEverythingAfterwards()
    {
        using var log = new CapturedLog();
        var time = new ManualTimeProvider();
        var pool = CreatePool(build: builder => builder.UseTimeProvider(time).UseLoggerFactory(log));
        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");
        for (var round = 0; round < 5; round++)
        {
            var checks = Checks();
            time.Advance(TimeSpan.FromSeconds(30));
            while (Checks() == checks)
            {
                await Task.Yield();
            }
        }

        await PrepareDatabaseAsync("NOTIFY orders, 'after'");

        Assert.Equal(["after"], await subscriber.PayloadsAsync(1));
        Assert.Equal(0, log.Count(1120));

        int Checks() => log.Commands.Count(text => text.Contains("SELECT 1", StringComparison.Ordinal));
    }

    [Fact]
    public async Task ConnectionsThatBreakAgainAndAgain_ArePausedBetween_LongerEachTime()
    {
        var time = new ManualTimeProvider();
        var pool = CreatePool(build: builder => builder.UseTimeProvider(time));
        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");
        foreach (var pause in (double[])[100, 200, 400])
        {
            var paused = time.NextTimer();
            await Server.TerminateBackendAsync((await BackendsOfAsync(pool)).Single().ProcessId);
            var next = subscriber.NextAsync();
            await paused;
            time.Advance(TimeSpan.FromMilliseconds(pause * 0.89));
            Assert.Empty(await BackendsOfAsync(pool));
            Assert.False(next.IsCompleted);
            time.Advance(TimeSpan.FromMilliseconds(pause * 0.22));
            Assert.True((await next).IsGap);
        }
    }
}
