namespace EfPooling.Core;

/// <summary>Opens server connections, in the background and on behalf of every waiter.</summary>
internal sealed partial class ConnectionKeeper<T>
{
    /// <summary>
    /// Moves as many free slots to opening as are wanted. Start them with <see cref="StartOpens"/> outside the gate.
    /// </summary>
    public List<Slot<T>>? BeginOpensLocked(long now)
    {
        List<Slot<T>>? opens = null;
        while (_ledger.BeginOpenLocked(now) is { } slot)
        {
            slot.StopOpening = _stopOpens.Token;
            (opens ??= []).Add(slot);
        }

        return opens;
    }

    public void StartOpens(List<Slot<T>>? slots)
    {
        if (slots is not null)
        {
            CleanContext.Run(static call => call.Keeper.StartInTurn(call.Slots), (Keeper: this, Slots: slots));
        }
    }

    /// <summary>Begins a generation of opens.</summary>
    /// <returns>Cancels the opens of the previous generation; to be passed to <see cref="Stop"/> outside the gate.</returns>
    public CancellationTokenSource RenewOpensLocked()
    {
        var outdated = _stopOpens;
        _stopOpens = new CancellationTokenSource();
        return outdated;
    }

    /// <summary>Cancels opens under way that are no longer wanted.</summary>
    public void Stop(CancellationTokenSource opens)
    {
        try
        {
            opens.Cancel();
        }
        catch (AggregateException error)
        {
            Log.CancelFailed(_logger, error, _name); // A fault of the connector, not of our caller.
        }
    }

    private void StartInTurn(List<Slot<T>> slots)
    {
        // An open that ends at once may require further opens. They start from this loop, not from inside that open, so the stack
        // stays flat.
        var pending = new Queue<Slot<T>>(slots);
        while (pending.TryDequeue(out var slot))
        {
            foreach (var next in StartOpen(slot) ?? [])
            {
                pending.Enqueue(next);
            }
        }
    }

    /// <returns>The slots to open next, if this one is done.</returns>
    private List<Slot<T>>? StartOpen(Slot<T> slot)
    {
        Task<T> opening;
        try
        {
            opening = _connector.OpenAsync(slot.StopOpening);
            if (!opening.IsCompletedSuccessfully)
            {
                // Not awaited: an open that ends while the await begins would continue in the thread pool, and synchronous
                // callers may block its threads.
                _ = opening.ContinueWith(
                    static (opening, state) => ((Open)state!).Finish(opening), new Open(this, slot),
                    CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                return null;
            }
        }
        catch (Exception error)
        {
            return OnOpenFailed(slot, error);
        }

        return OnOpened(slot, opening.Result);
    }

    private void FinishOpen(Slot<T> slot, Task<T> opening)
        => StartOpens(opening.IsCompletedSuccessfully
            ? OnOpened(slot, opening.Result)
            : OnOpenFailed(slot, opening.Exception?.InnerException ?? new TaskCanceledException(opening)));

    private List<Slot<T>>? OnOpened(Slot<T> slot, T connection)
    {
        var now = _clock.Now;
        PoolDecision<T> decision;
        List<Waiter<T>>? answered;
        List<Slot<T>>? opens;
        using (_gate.Enter())
        {
            decision = _ledger.OpenedLocked(slot, connection, now);
            answered = _ledger.TakeAnsweredLocked();
            opens = BeginOpensLocked(now);
            LeaveLocked();
        }

        Log.Opened(_logger, _name, slot.Index);
        Carry(slot, decision);
        answered?.ForEach(static waiter => waiter.SetResult(null!)); // They use no slot.
        AwaitTurn();
        return opens;
    }

    private List<Slot<T>>? OnOpenFailed(Slot<T> slot, Exception error)
    {
        var now = _clock.Now;
        var refused = new List<Waiter<T>>();
        TimeSpan? pause;
        TimeSpan untilRetry;
        List<Slot<T>>? opens = null;
        Exception? lastError;
        using (_gate.Enter())
        {
            pause = _ledger.OpenFailedLocked(slot, error, now);
            untilRetry = _ledger.Backoff.LeftForCallers(now);
            if (pause is null)
            {
                opens = BeginOpensLocked(now);
            }

            lastError = _ledger.RefuseHopelessLocked(refused, now);
            LeaveLocked();
        }

        if (pause is { } length)
        {
            Log.OpenFailed(_logger, error, _name, length, refused.Count);
            _retryTimer.Change(untilRetry, Timeout.InfiniteTimeSpan);
        }

        Refuse(refused, lastError);
        AwaitTurn();
        return opens;
    }

    private static void Refuse(List<Waiter<T>> waiters, Exception? error)
    {
        foreach (var waiter in waiters)
        {
            waiter.SetException(error!);
        }
    }

    private void EndPause()
    {
        var now = _clock.Now;
        TimeSpan? rest;
        List<Slot<T>>? opens;
        using (_gate.Enter())
        {
            rest = _ledger.Backoff.EndPauseForCallers(now);
            opens = BeginOpensLocked(now);
            LeaveLocked();
        }

        if (opens is null && rest is { } length)
        {
            _retryTimer.Change(length, Timeout.InfiniteTimeSpan); // No caller asks for an open.
        }

        StartOpens(opens);
    }

    // An open under way.
    private sealed class Open(ConnectionKeeper<T> keeper, Slot<T> slot)
    {
        public void Finish(Task<T> opening) => keeper.FinishOpen(slot, opening);
    }
}
