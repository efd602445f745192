namespace EfPooling.Core;

/// <summary>Reads the running leases for diagnostics.</summary>
internal static class RunningLeases
{
    /// <summary>The leases, oldest first. Holders are asked outside the gate.</summary>
    public static IReadOnlyList<LeaseInfo> Oldest<T>(PoolGate gate, PoolLedger<T> ledger, PoolClock clock, int limit)
        where T : class
    {
        (int Slot, long LeasedAt, ILeaseHolder? Holder)[] running;
        using (gate.Enter())
        {
            running = [.. ledger.Slots.Where(slot => slot.State == SlotState.InUse).Select(slot => (slot.Index, slot.LeasedAt, slot.Holder))];
        }

        var now = clock.Now;
        return
        [
            .. running.OrderBy(lease => lease.LeasedAt).Take(limit)
                .Select(lease => Describe(lease.Slot, clock.Between(lease.LeasedAt, now), lease.Holder)),
        ];
    }

    // Holders are asked while they run. A lease that has just ended may fail to answer, and that must not fail the caller.
    private static LeaseInfo Describe(int slot, TimeSpan age, ILeaseHolder? holder)
    {
        try
        {
            return new LeaseInfo(slot, age, holder?.Scope, holder?.Activity);
        }
        catch (Exception)
        {
            return new LeaseInfo(slot, age, null, null);
        }
    }
}
