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
    private readonly WeakTimer<ConnectionKeeper<T>> _replaceTimer;
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
        _replaceTimer = new WeakTimer<ConnectionKeeper<T>>(clock.Time, Timeout.InfiniteTimeSpan, this, static self => self.Sweep());
        _sweepTimer = new WeakTimer<ConnectionKeeper<T>>(clock.Time, period, this, static self => self.Sweep());
    }

    /// <summary>Completes when a draining pool has nothing left to do.</summary>
    public Task Quiet => _quiet.Task;

    /// <summary>Completes when a closed pool has closed every connection that was not in use.</summary>
    public Task Empty => _empty.Task;

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
}
