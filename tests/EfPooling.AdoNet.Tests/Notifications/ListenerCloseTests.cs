using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

public sealed class ListenerCloseTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Close_EndsEverySubscription_WithPoolClosed_AndItsBackendIsGone()
    {
        var pool = CreatePool();
        await using var waiting = await Subscriber.BeginAsync(pool, "orders");
        await using var behind = await Subscriber.BeginAsync(pool, "orders");
        await PrepareDatabaseAsync("NOTIFY orders, '1'");
        Assert.Equal(["1"], await waiting.PayloadsAsync(1));
        var next = waiting.NextAsync();

        Assert.True(await pool.CloseAsync(Patience));

        await Assert.ThrowsAsync<PoolClosedException>(() => next);
        await Assert.ThrowsAsync<PoolClosedException>(behind.NextAsync);
        await Assert.ThrowsAsync<PoolClosedException>(() => Subscriber.BeginAsync(pool, "orders"));
        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Dispose_EndsSubscriptionsToo(bool asynchronous)
    {
        var pool = CreatePool();
        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");
        var next = subscriber.NextAsync();
        if (asynchronous)
        {
            await pool.DisposeAsync();
        }
        else
        {
            pool.Dispose();
        }

        await Assert.ThrowsAsync<PoolClosedException>(() => next);
        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
    }

    [Fact]
    public async Task Close_OfTheRootOfAFamily_EndsTheSubscriptionsOfAll()
    {
        var pool = CreatePool();
        await using var there = await Subscriber.BeginAsync(pool.GetDatabase("postgres"), "orders");

        await pool.CloseAsync(TimeSpan.Zero);

        await Assert.ThrowsAsync<PoolClosedException>(there.NextAsync);
    }

    [Fact]
    public async Task Clear_LeavesSubscriptionsAlone()
    {
        var pool = CreatePool();
        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");

        pool.Clear();
        await PrepareDatabaseAsync("NOTIFY orders, '1'");

        Assert.Equal(["1"], await subscriber.PayloadsAsync(1));
    }
}
