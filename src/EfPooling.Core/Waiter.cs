namespace EfPooling.Core;

/// <summary>
/// A caller queued for a lease, or for a sign that the server can be reached, synchronous or asynchronous. Whoever removes it from the queue, under the gate, is the one who
/// completes it, outside the gate; so it is completed exactly once and a granted slot is never lost.
/// </summary>
internal sealed class Waiter<T>(ILeaseHolder? holder, long since = 0, bool wantsLease = true)
    : TaskCompletionSource<Slot<T>>(TaskCreationOptions.RunContinuationsAsynchronously)
    where T : class
{
    public readonly ILeaseHolder? Holder = holder;

    /// <summary>Otherwise it goes on, without a slot, as soon as any connection is there.</summary>
    public readonly bool WantsLease = wantsLease;

    /// <summary>When it began to wait, by the pool's clock, which may have been elsewhere.</summary>
    public readonly long Since = since;

    // Guarded by the gate: the links of the queue, and whether it is in it.
    public Waiter<T>? Next;
    public Waiter<T>? Previous;
    public bool IsQueued;

    /// <summary>Guarded by the gate: it has waited for ReservePoolTimeout.</summary>
    public bool MayUseReserve;
}
