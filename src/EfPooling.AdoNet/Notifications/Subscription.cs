using System.Runtime.ExceptionServices;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// The unread items of one subscriber, at most <paramref name="capacity"/>. If it falls further behind, one gap replaces all of
/// them. So it never delays other subscribers, and its stream never has a silent hole. One reader; the listener posts to it.
/// </summary>
internal sealed class Subscription(string channel, int capacity)
{
    private readonly Lock _gate = new();
    private readonly Queue<ChannelNotification> _items = new(); // guarded by _gate
    private bool _endsInGap; // guarded by _gate: the newest unread item is a gap
    private ExceptionDispatchInfo? _end; // guarded by _gate
    private TaskCompletionSource? _arrival; // guarded by _gate; the reader waits for it

    public string Channel => channel;

    /// <summary>Guarded by the gate of the <see cref="SubscriptionLedger"/>.</summary>
    public SubscriptionState State { get; set; }

    /// <summary>Throws the same error to each subscriber, with a stack trace of its own.</summary>
    public static void EndAll(List<Subscription> subscriptions, Exception error)
    {
        var end = ExceptionDispatchInfo.Capture(error);
        subscriptions.ForEach(subscription => subscription.End(end));
    }

    /// <returns>Whether the reader has fallen behind, and gets a gap instead of the queued items.</returns>
    public bool Post(ChannelNotification notification)
    {
        lock (_gate)
        {
            if (_items.Count < capacity)
            {
                Append(notification);
                return false;
            }

            // The notification itself is dropped too, because it was sent before the gap.
            _items.Clear();
            Append(ChannelNotification.Gap(channel));
            return true;
        }
    }

    /// <summary>Posts a gap. Two gaps with nothing between them are one.</summary>
    public void PostGap()
    {
        lock (_gate)
        {
            if (!_endsInGap)
            {
                Append(ChannelNotification.Gap(channel));
            }
        }
    }

    /// <summary>The reader gets the error instead of its unread items.</summary>
    public void End(ExceptionDispatchInfo error)
    {
        lock (_gate)
        {
            _end ??= error;
            _items.Clear();
            Signal();
        }
    }

    /// <exception cref="PoolClosedException">The data source was closed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, even if there are unread items.</exception>
    public async ValueTask<ChannelNotification> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Task arrival;
            lock (_gate)
            {
                _end?.Throw();
                if (_items.TryDequeue(out var item))
                {
                    _endsInGap &= _items.Count > 0;
                    return item;
                }

                _arrival ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrival = _arrival.Task;
            }

            await arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Append(ChannelNotification item)
    {
        _items.Enqueue(item);
        _endsInGap = item.IsGap;
        Signal();
    }

    // Completed under the gate. No code of the reader runs here, because its continuation is queued.
    private void Signal()
    {
        _arrival?.TrySetResult();
        _arrival = null;
    }
}
