namespace EfPooling.Core;

/// <summary>Which connections are retired, when and why.</summary>
internal sealed partial class PoolLedger<T>
{
    /// <exception cref="LeaseEndedException">The lease ended before; nothing was changed.</exception>
    public PoolDecision<T> EndLeaseLocked(Slot<T> slot, int version, RetireReason? retire, object? affinity, long now)
    {
        RequireLeaseLocked(slot, version);
        slot.Version++;
        slot.Holder = null;
        slot.Affinity = affinity;
        InUse--;
        if (retire is RetireReason.Broken or RetireReason.FailedCheck)
        {
            _suspectUntil = now; // The cause that broke one connection may have broken the connections that were idle meanwhile.
        }

        if (retire == RetireReason.HostRules)
        {
            _replacements = Math.Min(_replacements + 1, _options.MaxPoolSize); // Opening another connection shows which host is the right one.
        }

        retire ??= slot.RetireAtEnd;
        slot.RetireAtEnd = null;
        return PlaceLocked(slot, retire, now);
    }

    /// <exception cref="LeaseEndedException">The lease ended before; nothing was changed.</exception>
    public void RetireAtEndLocked(Slot<T> slot, int version, RetireReason reason)
    {
        RequireLeaseLocked(slot, version);
        slot.RetireAtEnd ??= reason;
    }

    public void ClosedLocked(Slot<T> slot)
    {
        AssertState(slot, SlotState.Closing);
        Closing--;
        slot.State = SlotState.Free;
        slot.Connection = null;
        slot.Affinity = null;
        _free.Push(slot);
    }

    /// <summary>Retires what is too old or was idle for too long.</summary>
    public void SweepLocked(long now, ICollection<PoolRetirement<T>> retired)
    {
        AssertGate();
        while (_idleLimit > 0 && _idle.Count > 0 && Live > _options.MinPoolSize && now - _idle[0].IdleSince >= _idleLimit)
        {
            RetireIdleLocked(0, RetireReason.Idle, retired);
        }

        for (var i = 0; i < _idle.Count; i++)
        {
            if (ReasonOfAge(_idle[i], now) is { } reason)
            {
                ExpiredLocked(reason, replace: _idle[i].WasUsed, now);
                RetireIdleLocked(i--, reason, retired);
            }
        }
    }

    /// <summary>
    /// Retires connections that have been idle since that time or longer: one that became idle then does not answer.
    /// </summary>
    public void RetireIdleSinceLocked(long idleSince, ICollection<PoolRetirement<T>> retired)
    {
        AssertGate();
        for (var i = 0; i < _idle.Count; i++)
        {
            if (_idle[i].IdleSince <= idleSince)
            {
                RetireIdleLocked(i--, RetireReason.FailedCheck, retired);
            }
        }
    }

    /// <summary>
    /// Makes every open connection outdated: idle ones are retired now, others after their release. Ends a pause after failures.
    /// </summary>
    public void ClearLocked(ICollection<PoolRetirement<T>> retired)
    {
        AssertGate();
        Generation++;
        Backoff.Reset();
        RetireAllIdleLocked(RetireReason.Cleared, retired);
    }

    /// <summary>
    /// Puts an unused pool at rest. Every connection is closed, and a connection that is being opened is closed once it is open.
    /// </summary>
    /// <returns>Whether the pool is at rest now.</returns>
    public bool RestLocked(ICollection<PoolRetirement<T>> retired)
    {
        AssertGate();
        if (InUse > 0 || Waiting > 0 || Phase != PoolPhase.Running || IsPaused)
        {
            return false;
        }

        IsAtRest = true;
        _replacements = 0;
        Generation++;
        RetireAllIdleLocked(RetireReason.Idle, retired);
        return true;
    }

    /// <param name="retired">Receives the idle connections.</param>
    /// <param name="refused">Receives the callers of a paused pool.</param>
    /// <param name="closed">What to tell those who wait for a pause or a drain.</param>
    /// <param name="now">By the clock.</param>
    public void BeginDrainLocked(ICollection<PoolRetirement<T>> retired, ICollection<Waiter<T>> refused, Func<Exception> closed, long now)
    {
        AssertGate();
        if (Phase == PoolPhase.Running)
        {
            Phase = PoolPhase.Draining;
            AdmitBeforeLocked(now);
            EndHoldsLocked(refused, closed);
        }

        RetireAllIdleLocked(RetireReason.PoolClosed, retired);
    }

    public void CloseLocked(ICollection<PoolRetirement<T>> retired, ICollection<Waiter<T>> refused)
    {
        AssertGate();
        Phase = PoolPhase.Closed;
        AdmitBeforeLocked(long.MinValue);
        RetireAllIdleLocked(RetireReason.PoolClosed, retired);
        RefuseWaitersLocked(refused);
    }

    private RetireReason? ReasonToRetireLocked(Slot<T> slot, long now)
    {
        if (Phase == PoolPhase.Closed || (Phase == PoolPhase.Draining && Waiting == 0))
        {
            return RetireReason.PoolClosed;
        }

        if (IsPaused)
        {
            return RetireReason.Paused;
        }

        if (slot.Generation != Generation)
        {
            return RetireReason.Cleared;
        }

        // Counts this connection and those that stay. A closing connection has already given its part of the reserve back.
        if (1 + Live + Opening > _options.MaxPoolSize && Waiters.Entitled == 0)
        {
            return RetireReason.ReserveSurplus;
        }

        if (ReasonOfAge(slot, now) is { } reason)
        {
            ExpiredLocked(reason, replace: true, now);
            return reason;
        }

        return null;
    }

    // While opens are held off, an old connection is better than none.
    private RetireReason? ReasonOfAge(Slot<T> slot, long now)
    {
        if (slot.ExpiresAt > now)
        {
            return null;
        }

        if (slot.IsOutdated && MayReplace(now))
        {
            return RetireReason.Reconnected;
        }

        return !slot.IsOutdated && !Backoff.IsHolding(now) && _lifetime.ShouldRetire(slot.ExpiresAt, now) ? RetireReason.Lifetime : null;
    }

    private void ExpiredLocked(RetireReason reason, bool replace, long now)
    {
        if (reason == RetireReason.Reconnected)
        {
            ReplacedLocked();
            return;
        }

        _lifetime.Retired(now);
        _replacements = Math.Min(_replacements + (replace ? 1 : 0), _options.MaxPoolSize);
    }

    private void RetireAllIdleLocked(RetireReason reason, ICollection<PoolRetirement<T>> retired)
    {
        while (_idle.Count > 0)
        {
            RetireIdleLocked(0, reason, retired);
        }
    }

    private void RetireIdleLocked(int index, RetireReason reason, ICollection<PoolRetirement<T>> retired)
    {
        var slot = _idle[index];
        _idle.RemoveAt(index);
        RetireLocked(slot, reason);
        retired.Add(new PoolRetirement<T>(slot, reason));
    }

    private void RetireLocked(Slot<T> slot, RetireReason reason)
    {
        slot.State = SlotState.Closing;
        ForgetReplacementLocked(slot);
        Closing++;
        Counters.Retired[(int)reason]++;
    }
}
