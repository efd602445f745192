namespace EfPooling.Core;

/// <summary>
/// A caller queued for a lease, or for a sign that the server can be reached, synchronous or asynchronous. The flow that removes
/// it from the queue, under the gate, completes it, outside the gate. So it is completed exactly once and a granted slot is never
/// lost.
/// </summary>
internal sealed class Waiter<T>(ILeaseHolder? holder, long since = 0, bool wantsLease = true)
    : TaskCompletionSource<Slot<T>>(TaskCreationOptions.RunContinuationsAsynchronously)
    where T : class
{
    public readonly ILeaseHolder? Holder = holder;

    /// <summary>If <c>false</c>, the caller continues without a slot as soon as any connection is open.</summary>
    public readonly bool WantsLease = wantsLease;

    /// <summary>When the caller began to wait, perhaps elsewhere, by the pool's clock.</summary>
    public readonly long Since = since;

    // Guarded by the gate: the links of the queue, and whether the waiter is queued.
    public Waiter<T>? Next;
    public Waiter<T>? Previous;
    public bool IsQueued;

    /// <summary>Guarded by the gate: the caller has waited for ReservePoolTimeout.</summary>
    public bool MayUseReserve;
}
