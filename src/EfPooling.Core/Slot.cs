namespace EfPooling.Core;

/// <summary>
/// One unit of capacity of a pool. The caller that moves a slot out of <see cref="SlotState.Free"/> holds the permit to open.
/// </summary>
internal sealed class Slot<T>(int index)
    where T : class
{
    public readonly int Index = index;

    // All guarded by the pool's gate. The holder of the lease also reads Connection and Version;
    // the flow that opens the connection also reads StopOpening.
    public SlotState State;
    public T? Connection;
    public int Generation;
    public long ExpiresAt;

    /// <summary>When the turn of an outdated connection comes, which is its expiry then.</summary>
    public long ReplaceAt = long.MaxValue;
    public long IdleSince;
    public long LeasedAt;
    public ILeaseHolder? Holder;
    public bool WasUsed;

    public bool IsOutdated => ReplaceAt != long.MaxValue;

    /// <summary>
    /// Why the end of the lease closes the connection, however the lease ends; <c>null</c>: it need not close it.
    /// </summary>
    public RetireReason? RetireAtEnd;

    /// <summary>The object that the connection was released with; compared by reference.</summary>
    public object? Affinity;
    public CancellationToken StopOpening;

    /// <summary>Raised when a lease of this slot ends, which makes every copy of that lease invalid.</summary>
    public volatile int Version;
}
