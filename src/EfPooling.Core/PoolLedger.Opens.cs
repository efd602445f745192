namespace EfPooling.Core;

/// <summary>How many connections are to be opened, and what becomes of an open.</summary>
internal sealed partial class PoolLedger<T>
{
    /// <returns>A free slot, now opening, if another open is wanted and allowed; otherwise <c>null</c>.</returns>
    public Slot<T>? BeginOpenLocked(long now)
    {
        AssertGate();
        if (_free.Count == 0 || Opening >= _options.MaxConcurrentOpens || Opening >= WantedOpens() || IsHeldOff(now) || OnlyReserveLeft)
        {
            return null;
        }

        var slot = _free.Pop();
        slot.State = SlotState.Opening;
        slot.Generation = Generation;
        Opening++;
        _lastOpenBegan = now;
        return slot;
    }

    public PoolDecision<T> OpenedLocked(Slot<T> slot, T connection, long now)
    {
        AssertState(slot, SlotState.Opening);
        Opening--;
        Counters.Opened++;
        Backoff.Reset();
        _replacements = Math.Max(0, _replacements - 1);
        slot.Connection = connection;
        slot.ExpiresAt = Math.Min(_lifetime.ExpiresAt(now), slot.ReplaceAt);
        _isReplacing = false;
        slot.WasUsed = false;
        return PlaceLocked(slot, retire: null, now);
    }

    /// <returns>
    /// How long opens are held off; <c>null</c> if they are not, because the attempt belonged to an earlier generation or to a
    /// closed or paused pool.
    /// </returns>
    public TimeSpan? OpenFailedLocked(Slot<T> slot, Exception error, long now)
    {
        AssertState(slot, SlotState.Opening);
        Opening--;
        Counters.OpenFailures++;
        slot.State = SlotState.Free;
        _isReplacing = false;
        ForgetReplacementLocked(slot);
        _free.Push(slot);
        if (slot.Generation != Generation || Phase == PoolPhase.Closed || IsPaused)
        {
            return null;
        }

        _replacements = 0; // While the server refuses, only waiters and MinPoolSize justify another attempt.
        return Backoff.Failed(error, isWanted: Waiting > 0, now);
    }

    /// <summary>Only the reserve has room for another open, and no more waiters are entitled to it.</summary>
    public bool OnlyReserveLeft => _slots.Length - Free >= _options.MaxPoolSize && Opening >= Waiters.Entitled;

    // After a failure one open at a time probes the server. A second one begins if the first does not return for a while.
    private bool IsHeldOff(long now)
    {
        if (Backoff.LastFailure is null)
        {
            return false;
        }

        var isHolding = Waiting > 0 ? Backoff.IsHoldingCallers(now) : Backoff.IsHolding(now);
        return isHolding || (Opening > 0 && now - _lastOpenBegan < _probePeriod);
    }

    private int WantedOpens() => Phase switch
    {
        PoolPhase.Running when IsAtRest || IsPaused => 0,
        PoolPhase.Running => Math.Max(Waiting, Math.Max(_options.MinPoolSize - Live, Math.Max(_replacements, Probes))),
        PoolPhase.Draining => Waiting,
        _ => 0,
    };
}
