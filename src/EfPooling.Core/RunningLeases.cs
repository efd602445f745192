namespace EfPooling.Core;

/// <summary>Reads the running leases for diagnostics.</summary>
internal static class RunningLeases
{
    /// <summary>The oldest first. Holders are asked outside the gate.</summary>
    public static IReadOnlyList<LeaseInfo> Oldest<T>(PoolGate gate, PoolLedger<T> ledger, PoolClock clock, int limit)
        where T : class
    {
        (int Slot, long LeasedAt, ILeaseHolder? Holder)[] running;
        using (gate.Enter())
        {
            running = [.. ledger.Slots.Where(slot => slot.State == SlotState.Leased).Select(slot => (slot.Index, slot.LeasedAt, slot.Holder))];
        }

        var now = clock.Now;
        return
        [
            .. running.OrderBy(lease => lease.LeasedAt).Take(limit)
                .Select(lease => new LeaseInfo(lease.Slot, clock.Between(lease.LeasedAt, now), lease.Holder?.Scope, lease.Holder?.Activity)),
        ];
    }
}
