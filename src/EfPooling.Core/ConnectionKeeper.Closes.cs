namespace EfPooling.Core;

/// <summary>Closes server connections. No caller waits for the network because of it.</summary>
internal sealed partial class ConnectionKeeper<T>
{
    /// <summary>Begins to close connections.</summary>
    /// <returns>Ends when the connections are closed. Never fails.</returns>
    public Task CloseAllAsync(List<PoolRetirement<T>> retired)
        => retired.Count == 0 ? Task.CompletedTask : Task.WhenAll(retired.ConvertAll(retirement => CloseAsync(retirement.Slot, retirement.Reason)));

    /// <summary>Completes <see cref="Empty"/> if the pool is. Call it outside the gate, after the pool was closed.</summary>
    public void SignalIfEmpty()
    {
        bool isEmpty;
        using (_gate.Enter())
        {
            isEmpty = IsEmpty;
        }

        if (isEmpty)
        {
            _empty.TrySetResult();
        }
    }

    private Task CloseAsync(Slot<T> slot, RetireReason reason)
    {
        Task closing;
        try
        {
            closing = _connector.CloseAsync(slot.Connection!);
        }
        catch (Exception error)
        {
            closing = Task.FromException(error);
        }

        if (closing.IsCompleted)
        {
            OnClosed(slot, reason, closing);
            return Task.CompletedTask;
        }

        // Not awaited, for the same reason as the opens.
        return closing.ContinueWith(
            static (closing, state) => ((Closing)state!).Finish(closing), new Closing(this, slot, reason),
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void OnClosed(Slot<T> slot, RetireReason reason, Task closing)
    {
        if (!closing.IsCompletedSuccessfully)
        {
            Log.CloseFailed(_logger, closing.Exception?.InnerException ?? new TaskCanceledException(closing), _name, slot.Index); // There is no other remedy here.
        }

        var now = _clock.Now;
        var refused = new List<Waiter<T>>();
        List<Slot<T>>? opens;
        Exception? lastError;
        bool isEmpty;
        using (_gate.Enter())
        {
            _ledger.ClosedLocked(slot);
            opens = BeginOpensLocked(now);
            lastError = _ledger.RefuseHopelessLocked(refused, now);
            isEmpty = IsEmpty;
            LeaveLocked();
        }

        if (reason is RetireReason.Broken or RetireReason.FailedCheck or RetireReason.ResetFailed)
        {
            Log.RetiredUnhealthy(_logger, _name, slot.Index, reason);
        }
        else
        {
            Log.Retired(_logger, _name, slot.Index, reason);
        }

        StartOpens(opens);
        Refuse(refused, lastError);
        if (isEmpty && !_empty.Task.IsCompleted)
        {
            // Code behind the end of the pool must not run here: others wait for this close to return.
            new Thread(static empty => ((TaskCompletionSource)empty!).TrySetResult()) { IsBackground = true, Name = "EfPooling pool closed" }.UnsafeStart(_empty);
        }
    }

    // Requires the gate.
    private bool IsEmpty => _ledger is { Phase: PoolPhase.Closed, Closing: 0 };

    // A close under way.
    private sealed class Closing(ConnectionKeeper<T> keeper, Slot<T> slot, RetireReason reason)
    {
        public void Finish(Task closing) => keeper.OnClosed(slot, reason, closing);
    }
}
