using System.Globalization;

namespace EfPooling.AdoNet.Tests;

/// <summary>Channels come and go while notifications keep coming, each of which interrupts the connection that waits for them.</summary>
public sealed class SubscriptionChurnTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const int Notifications = 20_000;
    private const int PerTransaction = 20;

    [Theory]
    [InlineData(0)]
    [InlineData(7_000)]
    public async Task AddingAndRemovingChannelsUnderLoad_LosesNothing(int padding)
    {
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS sent; CREATE TABLE sent (number int)");
        var pool = CreatePool(configure: options => options.NotificationBacklog = Notifications);
        await using var steady = await Subscriber.BeginAsync(pool, "numbers");
        using var finished = new CancellationTokenSource();
        var churning = Enumerable.Range(0, 4).Select(worker => Task.Run(() => ChurnAsync(pool, worker, finished.Token))).ToArray();

        var sending = SendAsync(padding);
        for (var last = 0; last < Notifications;)
        {
            var item = await steady.NextAsync();
            if (item.IsGap)
            {
                // A message that is half way here when its connection is interrupted breaks it. That is rare, and not silent.
                last = Math.Max(last, await AskPlainAsync<int>("SELECT coalesce(max(number), 0) FROM sent"));
            }
            else if (int.Parse(item.Payload.AsSpan().TrimEnd('.'), CultureInfo.InvariantCulture) is var number && number > last)
            {
                Assert.Equal(last + 1, number);
                last = number;
            }
        }

        await sending;
        await finished.CancelAsync();
        Assert.All(await Task.WhenAll(churning), count => Assert.True(count > 10, $"Only {count} rounds."));
    }

    [Fact]
    public async Task AddingAndRemovingChannels_InterruptsTheConnection_AndNeverBreaksItWhileItIsQuiet()
    {
        using var log = new CapturedLog();
        var pool = CreatePool(build: builder => builder.UseLoggerFactory(log));
        await using var steady = await Subscriber.BeginAsync(pool, "steady");
        var backend = Assert.Single(await BackendsOfAsync(pool)).ProcessId;
        await using var sender = await OpenPlainAsync();
        for (var round = 0; round < 100; round++)
        {
            await using var other = await Subscriber.BeginAsync(pool, $"other {round}");
            await using var another = await Subscriber.BeginAsync(pool, $"another {round}");
            if (round % 10 == 0)
            {
                await sender.RunAsync($"NOTIFY steady, '{round}'; NOTIFY \"other {round}\", '{round}'");
                Assert.Equal([$"{round}"], await steady.PayloadsAsync(1));
                Assert.Equal([$"{round}"], await other.PayloadsAsync(1));
            }
        }

        Assert.Equal(backend, Assert.Single(await BackendsOfAsync(pool)).ProcessId);
        Assert.Equal(0, log.Count(1120));
    }

    private async Task SendAsync(int padding)
    {
        await using var sender = await OpenPlainAsync();
        for (var sent = 0; sent < Notifications; sent += PerTransaction)
        {
            await sender.RunAsync($"WITH number AS (INSERT INTO sent SELECT generate_series({sent + 1}, {sent + PerTransaction}) RETURNING number) SELECT pg_notify('numbers', number || repeat('.', {padding})) FROM number");
        }
    }

    /// <summary>Subscribes to a channel of its own and to the busy one, hears something of each, and leaves.</summary>
    private async Task<int> ChurnAsync(TransactionPoolingDataSource pool, int worker, CancellationToken stop)
    {
        await using var sender = await OpenPlainAsync();
        var rounds = 0;
        while (!stop.IsCancellationRequested)
        {
            await using var own = await Subscriber.BeginAsync(pool, $"own {worker} {rounds}", CancellationToken.None);
            await using var busy = await Subscriber.BeginAsync(pool, "numbers", CancellationToken.None);
            await sender.RunAsync($"NOTIFY \"own {worker} {rounds}\", '{rounds}'", CancellationToken.None);
            var heard = await own.NextAsync();
            Assert.True(heard.IsGap || heard.Payload == $"{rounds}", $"{heard}");
            rounds++;
        }

        return rounds;
    }
}
