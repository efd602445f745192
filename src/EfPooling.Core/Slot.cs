namespace EfPooling.Core;

/// <summary>One unit of capacity of a pool. Whoever moves a slot out of <see cref="SlotState.Free"/> holds the permit to open.</summary>
internal sealed class Slot<T>(int index)
    where T : class
{
    public readonly int Index = index;

    // All guarded by the pool's gate; Connection and Version are also read by the holder of the lease,
    // StopOpening by whoever opens.
    public SlotState State;
    public T? Connection;
    public int Generation;
    public long ExpiresAt;
    public long IdleSince;
    public long LeasedAt;
    public ILeaseHolder? Holder;
    public bool WasUsed;

    /// <summary>Why the connection is closed when its lease ends, however that ends; <c>null</c> while it need not be.</summary>
    public RetireReason? RetireAtEnd;

    /// <summary>What the connection was released with; compared by reference.</summary>
    public object? Affinity;
    public CancellationToken StopOpening;

    /// <summary>Raised when a lease of this slot ends, which makes every copy of that lease invalid.</summary>
    public volatile int Version;
}
