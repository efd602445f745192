namespace EfPooling.Core;

/// <summary>Wakes up when the turn of a connection comes that a reconnect replaces.</summary>
internal sealed partial class ConnectionKeeper<T>
{
    private readonly Lock _alarm = new(); // held while the alarm is set; taken before the pool's gate, never inside it

    /// <summary>Sets the alarm for the next turn, if there is one. Call it outside the gate.</summary>
    public void AwaitTurn()
    {
        if (_ledger.Outdated == 0)
        {
            return; // An unguarded read is good enough: who makes connections outdated sets the alarm afterwards.
        }

        lock (_alarm)
        {
            var now = _clock.Now;
            long? next;
            using (_gate.Enter())
            {
                next = _ledger.NextReplacementLocked(now);
            }

            if (next is { } turn)
            {
                // A little more, because a timer may be early by a fraction of the clock's unit.
                _replaceTimer.CallOnce(_clock.Between(now, turn) + TimeSpan.FromMilliseconds(1));
            }
        }
    }
}
