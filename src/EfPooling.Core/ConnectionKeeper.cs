using Microsoft.Extensions.Logging;

namespace EfPooling.Core;

/// <summary>
/// Carries out, outside the gate, what the ledger decided: opens and closes server connections and hands slots over. Also runs
/// the periodic sweep and the retry after a failed login. A slot is a permit: losing the connection by exception gives the permit
/// back.
/// </summary>
internal sealed partial class ConnectionKeeper<T> : IDisposable
    where T : class
{
    private readonly PoolGate _gate;
    private readonly PoolLedger<T> _ledger; // guarded by _gate
    private readonly IServerConnector<T> _connector;
    private readonly PoolClock _clock;
    private readonly ILogger _logger;
    private readonly string _name;
    private readonly TaskCompletionSource _quiet = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _empty = new(); // Set outside the gate; its continuations must not need the thread pool.
    private readonly ITimer _retryTimer;
    private readonly ITimer _replaceTimer;
    private readonly WeakTimer<ConnectionKeeper<T>> _sweepTimer;
    private CancellationTokenSource _stopOpens = new(); // guarded by _gate; one per generation

    public ConnectionKeeper(PoolGate gate, PoolLedger<T> ledger, PoolOptions options, IServerConnector<T> connector, PoolClock clock, ILogger logger, string name)
    {
        (_gate, _ledger, _connector, _clock, _logger, _name) = (gate, ledger, connector, clock, logger, name);
        var period = SweepSchedule.Period(options);
        ITimer? retry = null;
        CleanContext.Run(
            static create => create(),
            () => retry = clock.Time.CreateTimer(static self => ((ConnectionKeeper<T>)self!).EndPause(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
        _retryTimer = retry!;
        _replaceTimer = CreateReplaceTimer();
        _sweepTimer = new WeakTimer<ConnectionKeeper<T>>(clock.Time, period, this, static self => self.Sweep());
    }

    /// <summary>Completes when a draining pool has nothing left to do.</summary>
    public Task Quiet => _quiet.Task;

    /// <summary>Completes when a closed pool has closed every connection that was not in use.</summary>
    public Task Empty => _empty.Task;

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

    public void Carry(Slot<T> slot, PoolDecision<T> decision)
    {
        switch (decision.Action)
        {
            case PoolAction.HandOver:
                decision.Waiter!.SetResult(slot);
                break;
            case PoolAction.Retire:
                _ = CloseAsync(slot, decision.Reason);
                break;
        }
    }

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

    /// <summary>
    /// The end of every critical section. A draining or paused pool notices that it is done; debug builds verify the invariants.
    /// </summary>
    public void LeaveLocked()
    {
        if (_ledger.IsWatched)
        {
            Signal();
        }

#if DEBUG
        _ledger.VerifyLocked();
#endif
    }

    // Requires the gate. Continuations run elsewhere.
    private void Signal()
    {
        _ledger.SignalLocked();
        if (_ledger.Phase != PoolPhase.Running && _ledger.IsQuiet)
        {
            _quiet.TrySetResult();
        }
    }

    /// <summary>Stops the timers. Opens under way are stopped by <see cref="Stop"/>.</summary>
    public void Dispose()
    {
        _retryTimer.Dispose();
        _replaceTimer.Dispose();
        _sweepTimer.Dispose();
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

    private void Sweep()
    {
        var now = _clock.Now;
        var retired = new List<PoolRetirement<T>>();
        List<Slot<T>>? opens;
        using (_gate.Enter())
        {
            _ledger.SweepLocked(now, retired);
            opens = BeginOpensLocked(now);
            LeaveLocked();
        }

        _ = CloseAllAsync(retired);
        StartOpens(opens);
        AwaitTurn();
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

    // An open under way.
    private sealed class Open(ConnectionKeeper<T> keeper, Slot<T> slot)
    {
        public void Finish(Task<T> opening) => keeper.FinishOpen(slot, opening);
    }
}
