using System.Globalization;

namespace EfPooling.AdoNet.Tests;

public sealed class SlowSubscriberTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task SubscriberThatFallsBehind_ReadsAGapInsteadOfItsBacklog_ThenWhatFollows_AndOthersMissNothing()
    {
        using var log = new CapturedLog();
        var pool = CreatePool(configure: options => options.NotificationBacklog = 100, build: builder => builder.UseLoggerFactory(log));
        await using var slow = await Subscriber.BeginAsync(pool, "orders");
        await using var fast = await Subscriber.BeginAsync(pool, "orders");
        for (var sent = 0; sent < 150; sent += 50)
        {
            await PrepareDatabaseAsync($"SELECT pg_notify('orders', i::text) FROM generate_series({sent + 1}, {sent + 50}) i");
            Assert.Equal(Numbers(sent + 1, 50), await fast.PayloadsAsync(50));
        }

        Assert.True((await slow.NextAsync()).IsGap);
        Assert.Equal(Numbers(102, 49), await slow.PayloadsAsync(49)); // The 101st came when a hundred were waiting.
        Assert.Equal(1, log.Count(1123));
    }

    [Fact]
    public async Task BacklogThatIsJustFull_IsDeliveredWhole()
    {
        var pool = CreatePool(configure: options => options.NotificationBacklog = 100);
        await using var slow = await Subscriber.BeginAsync(pool, "orders");
        await using var witness = await Subscriber.BeginAsync(pool, "orders");
        await PrepareDatabaseAsync("SELECT pg_notify('orders', i::text) FROM generate_series(1, 100) i");
        Assert.Equal(Numbers(1, 100), await witness.PayloadsAsync(100));

        Assert.Equal(Numbers(1, 100), await slow.PayloadsAsync(100));
    }

    [Fact]
    public async Task ABacklogOfOne_Works()
    {
        var pool = CreatePool(configure: options => options.NotificationBacklog = 1);
        await using var slow = await Subscriber.BeginAsync(pool, "orders");
        await using var witness = await Subscriber.BeginAsync(pool, "done");
        await PrepareDatabaseAsync("SELECT pg_notify('orders', i::text) FROM generate_series(1, 10) i; NOTIFY done");
        await witness.NextAsync();

        Assert.True((await slow.NextAsync()).IsGap);
        await PrepareDatabaseAsync("NOTIFY orders, 'after'");
        Assert.Equal(["after"], await slow.PayloadsAsync(1));
    }

    private static IEnumerable<string> Numbers(int first, int count) => Enumerable.Range(first, count).Select(i => i.ToString(CultureInfo.InvariantCulture));
}
