namespace EfPooling.AdoNet.Tests;

/// <summary>One enumeration of a subscription, read step by step.</summary>
internal sealed class Subscriber(IAsyncEnumerator<ChannelNotification> items) : IAsyncDisposable
{
    /// <summary>Subscribes, and reads the gap that every subscription begins with.</summary>
    public static async Task<Subscriber> BeginAsync(TransactionPoolingDataSource pool, string channel, CancellationToken cancellationToken = default)
    {
        var subscriber = Create(pool, channel, cancellationToken);
        Assert.Equal(ChannelNotification.Gap(channel), await subscriber.NextAsync());
        return subscriber;
    }

    public static Subscriber Create(TransactionPoolingDataSource pool, string channel, CancellationToken cancellationToken = default)
        => new(pool.SubscribeAsync(channel, cancellationToken).GetAsyncEnumerator(CancellationToken.None));

    public async Task<ChannelNotification> NextAsync()
    {
        Assert.True(await items.MoveNextAsync(), "The stream ended.");
        return items.Current;
    }

    /// <summary>The next notifications, of which none may be a gap.</summary>
    public async Task<string[]> PayloadsAsync(int count)
    {
        var payloads = new string[count];
        for (var i = 0; i < count; i++)
        {
            var item = await NextAsync();
            Assert.False(item.IsGap, $"A gap came instead of notification {i + 1} of {count}.");
            payloads[i] = item.Payload;
        }

        return payloads;
    }

    public ValueTask DisposeAsync() => items.DisposeAsync();
}
