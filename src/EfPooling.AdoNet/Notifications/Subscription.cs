using System.Runtime.ExceptionServices;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// What one subscriber has still to read, at most <paramref name="capacity"/> items. If it falls further behind, all of it gives way to
/// one gap, so that it never delays anybody and never hears a stream with a silent hole. One reader; posted to by the listener.
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

    /// <summary>Each subscriber is thrown the same error, with a stack trace of its own.</summary>
    public static void EndAll(List<Subscription> subscriptions, Exception error)
    {
        var end = ExceptionDispatchInfo.Capture(error);
        subscriptions.ForEach(subscription => subscription.End(end));
    }

    /// <returns>Whether the reader has fallen behind, and reads a gap instead of what was queued.</returns>
    public bool Post(ChannelNotification notification)
    {
        lock (_gate)
        {
            if (_items.Count < capacity)
            {
                Append(notification);
                return false;
            }

            // The notification itself goes too: it was sent before the gap.
            _items.Clear();
            Append(ChannelNotification.Gap(channel));
            return true;
        }
    }

    /// <summary>Two gaps with nothing between them are one.</summary>
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

    /// <summary>The reader gets the error instead of what it has not read yet.</summary>
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
    /// <exception cref="OperationCanceledException">The token was cancelled, even if there is something to read.</exception>
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

    // Completed under the gate: nothing of the reader's runs here, because its continuation is queued.
    private void Signal()
    {
        _arrival?.TrySetResult();
        _arrival = null;
    }
}
