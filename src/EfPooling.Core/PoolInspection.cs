namespace EfPooling.Core;

/// <summary>Reads a ledger and changes nothing: the snapshot for users, the invariants for tests and debug builds.</summary>
internal static class PoolInspection
{
    public static PoolSnapshot SnapshotLocked<T>(this PoolLedger<T> ledger, string name)
        where T : class
    {
        ledger.AssertGate();
        var (options, counters) = (ledger.Options, ledger.Counters);
        return new PoolSnapshot
        {
            Name = name,
            Phase = ledger.Phase,
            MaxPoolSize = options.MaxPoolSize,
            ReservePoolSize = options.ReservePoolSize,
            Idle = ledger.Idle,
            InUse = ledger.InUse,
            Opening = ledger.Opening,
            Closing = ledger.Closing,
            Free = ledger.Free,
            Waiting = ledger.Waiting,
            Generation = ledger.Generation,
            Outdated = ledger.Outdated,
            IsPaused = ledger.IsPaused,
            IsDisabled = ledger.IsDisabled,
            LeasesGranted = counters.LeasesGranted,
            Waits = counters.Waits,
            WaitTimeouts = counters.WaitTimeouts,
            Opened = counters.Opened,
            OpenFailures = counters.OpenFailures,
            Retired = Enum.GetValues<RetireReason>().Where(r => counters.Retired[(int)r] > 0).ToDictionary(r => r, r => counters.Retired[(int)r]),
        };
    }

    private static int CountOutdated<T>(IReadOnlyList<Slot<T>> slots)
        where T : class
    {
        var count = 0;
        for (var i = 0; i < slots.Count; i++)
        {
            count += slots[i].IsOutdated ? 1 : 0;
        }

        return count;
    }

    /// <exception cref="InvalidOperationException">An invariant does not hold, which is a bug in this project.</exception>
    public static void VerifyLocked<T>(this PoolLedger<T> ledger)
        where T : class
    {
        ledger.AssertGate();
        var (idle, waiting, isClosed) = (ledger.Idle, ledger.Waiting, ledger.Phase == PoolPhase.Closed);
        var enoughOpens = ledger.Opening >= Math.Min(waiting, ledger.Options.MaxConcurrentOpens);
        Require(idle + ledger.Free + ledger.Opening + ledger.InUse + ledger.Closing == ledger.Slots.Count, "I1");
        Require(isClosed || idle == 0 || ledger.Waiters.Count == 0, "I2");
        Require(isClosed || ledger.Free == 0 || waiting == 0 || enoughOpens || ledger.Backoff.LastFailure is not null || ledger.OnlyReserveLeft || ledger.IsPaused, "I3");
        Require(!isClosed || (idle == 0 && waiting == 0), "I4");
        Require(ledger.Live == 0 || ledger.Askers.Count == 0, "I5");
        Require(!ledger.IsPaused || idle == 0, "I6");
        Require(ledger.Outdated == CountOutdated(ledger.Slots), "I7");

        void Require(bool holds, string invariant)
        {
            if (!holds)
            {
                throw new InvalidOperationException(
                    $"Pool invariant {invariant} is broken: {ledger.Phase}, idle {idle}, free {ledger.Free}, opening {ledger.Opening}, in use {ledger.InUse}, closing {ledger.Closing}, waiting {waiting}.");
            }
        }
    }
}
