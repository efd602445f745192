namespace EfPooling.Core;

/// <summary>Replaces the connections that are open now by new ones, each at its turn.</summary>
/// <remarks>
/// One at a time: the next connection is retired when an open has shown that the server still lets the pool in. While it does not,
/// an old connection is better than none, and one connection at most has been given up for the attempt. The warm path asks
/// nothing: the turn of an outdated connection is its expiry.
/// </remarks>
internal sealed partial class PoolLedger<T>
{
    private bool _isReplacing; // guarded by the gate: one was retired, and no open has succeeded or failed since

    /// <summary>Connections that are still to be replaced, those being opened included.</summary>
    public int Outdated { get; private set; }

    /// <summary>Gives each connection, in use or not, its turn in that time: those that have been idle the longest come first.</summary>
    public void ReconnectLocked(long over, long now)
    {
        AssertGate();
        if (Phase != PoolPhase.Running)
        {
            return;
        }

        var idle = Enumerable.Range(0, _idle.Count).Select(index => _idle[index]);
        var slots = idle.Concat(_slots.Where(slot => slot.State is SlotState.InUse or SlotState.Opening)).ToList();
        for (var i = 0; i < slots.Count; i++)
        {
            var slot = slots[i];
            Outdated += slot.IsOutdated ? 0 : 1;
            slot.ReplaceAt = Math.Min(slot.ReplaceAt, now + (long)((double)over * i / slots.Count));
            slot.ExpiresAt = Math.Min(slot.ExpiresAt, slot.ReplaceAt);
        }
    }

    /// <returns>When the next turn of a connection comes that need not wait for something else; <c>null</c>: none does.</returns>
    public long? NextReplacementLocked(long now)
    {
        AssertGate();
        if (Outdated == 0)
        {
            return null;
        }

        var mayReplace = MayReplace(now);
        var next = long.MaxValue;
        foreach (var slot in _slots)
        {
            if (slot.IsOutdated && (slot.ReplaceAt > now || (slot.State == SlotState.Idle && mayReplace)))
            {
                next = Math.Min(next, Math.Max(now, slot.ReplaceAt));
            }
        }

        return next == long.MaxValue ? null : next;
    }

    // After a failed login a free slot is needed to try again. If there is none, one connection is given up for it.
    private bool MayReplace(long now)
        => !_isReplacing && (Backoff.LastFailure is null || (Free + Opening + Closing == 0 && !Backoff.IsHolding(now)));

    private void ReplacedLocked()
    {
        _isReplacing = true;
        _replacements = Math.Min(_replacements + 1, _options.MaxPoolSize);
    }

    // A login that failed is tried again for as long as connections are to be replaced.
    private int Probes => Outdated > 0 && Backoff.LastFailure is not null ? 1 : 0;

    private void ForgetReplacementLocked(Slot<T> slot)
    {
        Outdated -= slot.IsOutdated ? 1 : 0;
        slot.ReplaceAt = long.MaxValue;
    }
}
