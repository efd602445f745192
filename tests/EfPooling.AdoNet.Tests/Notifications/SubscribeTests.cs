using System.Globalization;

namespace EfPooling.AdoNet.Tests;

public sealed class SubscribeTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Subscription_BeginsWithAGap_ThenHearsWhatIsSent_AndBySender()
    {
        var pool = CreatePool();
        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");
        await using var sender = await OpenPlainAsync();
        await sender.RunAsync("NOTIFY orders, 'placed 1'; NOTIFY orders");

        Assert.Equal(new ChannelNotification("orders", "placed 1", sender.ProcessID), await subscriber.NextAsync());
        Assert.Equal(new ChannelNotification("orders", "", sender.ProcessID), await subscriber.NextAsync());
    }

    [Fact]
    public async Task ManySubscribersOfSeveralChannels_EachHearTheirs_InOrder()
    {
        var pool = CreatePool();
        var subscribers = new List<(string Channel, Subscriber Subscriber)>();
        for (var i = 0; i < 30; i++)
        {
            var channel = $"channel {i % 3}";
            subscribers.Add((channel, await Subscriber.BeginAsync(pool, channel)));
        }

        await PrepareDatabaseAsync("SELECT pg_notify('channel ' || c, c || '-' || i) FROM generate_series(1, 500) i, generate_series(0, 2) c");

        foreach (var (channel, subscriber) in subscribers)
        {
            var expected = Enumerable.Range(1, 500).Select(i => string.Create(CultureInfo.InvariantCulture, $"{channel[^1]}-{i}"));
            Assert.Equal(expected, await subscriber.PayloadsAsync(500));
            await subscriber.DisposeAsync();
        }
    }

    [Fact]
    public async Task NotifyInATransaction_ArrivesAtItsCommit_AndNeverAfterARollback()
    {
        var pool = CreatePool();
        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");
        await using var first = await pool.OpenConnectionAsync();
        await using var second = await pool.OpenConnectionAsync();
        await using var committed = await first.BeginTransactionAsync();
        await first.RunAsync("NOTIFY orders, 'first sent'");
        await using (await second.BeginTransactionAsync())
        {
            await second.RunAsync("NOTIFY orders, 'rolled back'");
        }

        await second.RunAsync("NOTIFY orders, 'first committed'");
        await committed.CommitAsync();

        Assert.Equal(["first committed", "first sent"], await subscriber.PayloadsAsync(2));
    }

    [Fact]
    public async Task LateSubscriberOfAChannel_BeginsWithAGapToo_AndTheOthersHearNone()
    {
        var pool = CreatePool();
        await using var early = await Subscriber.BeginAsync(pool, "orders");
        await PrepareDatabaseAsync("NOTIFY orders, '1'");
        Assert.Equal(["1"], await early.PayloadsAsync(1));
        await using var late = await Subscriber.BeginAsync(pool, "orders");
        await PrepareDatabaseAsync("NOTIFY orders, '2'");

        Assert.Equal(["2"], await early.PayloadsAsync(1));
        Assert.Equal(["2"], await late.PayloadsAsync(1));
    }

    [Fact]
    public async Task TwoEnumerationsOfOneStream_AreTwoSubscriptions()
    {
        var pool = CreatePool();
        var stream = pool.SubscribeAsync("orders");
        await using var first = new Subscriber(stream.GetAsyncEnumerator());
        await using var second = new Subscriber(stream.GetAsyncEnumerator());
        Assert.True((await first.NextAsync()).IsGap);
        Assert.True((await second.NextAsync()).IsGap);
        await PrepareDatabaseAsync("NOTIFY orders, '1'");

        Assert.Equal(["1"], await first.PayloadsAsync(1));
        Assert.Equal(["1"], await second.PayloadsAsync(1));
    }

    [Fact]
    public async Task TheLargestPayload_ArrivesWhole()
    {
        var pool = CreatePool();
        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");
        await PrepareDatabaseAsync("SELECT pg_notify('orders', repeat(i::text, 7999)) FROM generate_series(0, 9) i");

        Assert.Equal(Enumerable.Range(0, 10).Select(i => new string((char)('0' + i), 7999)), await subscriber.PayloadsAsync(10));
    }

    [Fact]
    public async Task Cancellation_EndsTheSubscription_EvenIfThereIsSomethingToRead()
    {
        var pool = CreatePool();
        using var cancellation = new CancellationTokenSource();
        await using var waiting = await Subscriber.BeginAsync(pool, "orders", cancellation.Token);
        await using var busy = await Subscriber.BeginAsync(pool, "orders", cancellation.Token);
        await using var other = await Subscriber.BeginAsync(pool, "orders");
        await PrepareDatabaseAsync("NOTIFY orders, '1'");
        Assert.Equal(["1"], await waiting.PayloadsAsync(1));
        var next = waiting.NextAsync();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(busy.NextAsync);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Subscriber.BeginAsync(pool, "orders", cancellation.Token));
        Assert.Equal(["1"], await other.PayloadsAsync(1));
    }

    [Fact]
    public async Task Cancellation_ThroughWithCancellation_EndsTheSubscription()
    {
        var pool = CreatePool();
        using var cancellation = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var item in pool.SubscribeAsync("orders").WithCancellation(cancellation.Token))
            {
                Assert.True(item.IsGap);
                await cancellation.CancelAsync();
            }
        });

        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
    }
}
