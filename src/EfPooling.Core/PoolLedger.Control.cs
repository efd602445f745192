namespace EfPooling.Core;

/// <summary>What an operator orders: to hold callers back, to refuse them, and to let them in again.</summary>
/// <remarks>A paused pool holds no connection that is not in use, so it has none to hand out: the warm path asks nothing.</remarks>
internal sealed partial class PoolLedger<T>
{
    // The gate guards these.
    private PoolHold? _pause;
    private PoolHold? _drain;
    private long _admittedBefore = long.MaxValue; // a draining pool admits callers that began to wait earlier

    /// <summary>Callers queue, whatever is free, and no connection is opened for them.</summary>
    public bool IsPaused => _pause is not null;

    /// <summary>New callers are refused until the pool is enabled.</summary>
    public bool IsDisabled { get; private set; }

    /// <summary>Whether every caller is admitted. False while the pool is disabled, closing or closed.</summary>
    public bool AdmitsAll { get; private set; } = true;

    /// <summary>The end of a critical section must look whether the pool has become quiet.</summary>
    public bool IsWatched { get; private set; }

    /// <summary>
    /// Begins or joins a pause: idle connections are retired now, others after their release, and no lease is granted.
    /// </summary>
    public PoolHold PauseLocked(ICollection<PoolRetirement<T>> retired)
    {
        AssertGate();
        _pause ??= new PoolHold();
        _pause.Calls++;
        _replacements = 0;
        RetireAllIdleLocked(RetireReason.Paused, retired);
        WatchLocked();
        return _pause;
    }

    /// <summary>A call no longer waits for the pause. A pause that nobody has reached or waits for any more ends.</summary>
    /// <returns>Whether the call had reached the pause before.</returns>
    public bool LeavePauseLocked(PoolHold pause)
    {
        AssertGate();
        pause.Calls--;
        if (!pause.IsReached && pause.Calls == 0 && ReferenceEquals(pause, _pause))
        {
            ResumeLocked();
        }

        return pause.IsReached;
    }

    /// <returns>Whether the pool was paused.</returns>
    public bool ResumeLocked()
    {
        AssertGate();
        if (_pause is not { } pause)
        {
            return false;
        }

        _pause = null;
        Backoff.Reset(); // The server was perhaps restarted meanwhile.
        pause.End();
        WatchLocked();
        return true;
    }

    public void DisableLocked()
    {
        AssertGate();
        (IsDisabled, AdmitsAll) = (true, false);
    }

    /// <summary>What a disabled pool reaches when nothing runs and no caller waits.</summary>
    public PoolHold DrainLocked()
    {
        AssertGate();
        _drain ??= new PoolHold();
        WatchLocked();
        return _drain;
    }

    /// <returns>Whether the pool was disabled. A closing pool stays closed to new callers.</returns>
    public bool EnableLocked()
    {
        AssertGate();
        if (!IsDisabled || Phase != PoolPhase.Running)
        {
            return false;
        }

        (IsDisabled, AdmitsAll) = (false, true);
        _drain?.End();
        _drain = null;
        WatchLocked();
        return true;
    }

    /// <summary>The end of a critical section of a watched pool: tells those who wait that nothing is left.</summary>
    public void SignalLocked()
    {
        AssertGate();
        if (InUse == 0 && Opening == 0 && Closing == 0)
        {
            _pause?.Reach();
        }

        if (InUse == 0 && Waiting == 0)
        {
            _drain?.Reach();
        }
    }

    // A pool that closes holds nobody back any more. The callers of a paused pool cannot be served without the server, which the
    // pause was to spare.
    private void EndHoldsLocked(ICollection<Waiter<T>> refused, Func<Exception> closed)
    {
        if (_pause is { } pause)
        {
            RefuseWaitersLocked(refused);
            AdmitBeforeLocked(long.MinValue);
            pause.Fail(closed());
            _pause = null;
        }

        _drain?.Fail(closed());
        _drain = null;
        WatchLocked();
    }

    private void AdmitBeforeLocked(long now) => (_admittedBefore, AdmitsAll) = (Math.Min(_admittedBefore, now), false);

    private void WatchLocked() => IsWatched = Phase != PoolPhase.Running || _pause is not null || _drain is not null;
}
