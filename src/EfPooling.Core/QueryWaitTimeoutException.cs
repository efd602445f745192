namespace EfPooling.Core;

/// <summary>
/// No server connection became available within <see cref="PoolOptions.QueryWaitTimeout"/>. The message carries the pool's
/// numbers, the oldest leases with their activity, and the remedy. Nothing was sent to the server for this caller.
/// </summary>
public sealed class QueryWaitTimeoutException : TimeoutException
{
    internal QueryWaitTimeoutException(TimeSpan limit, PoolSnapshot snapshot, IReadOnlyList<LeaseInfo> oldestLeases, Exception? lastOpenError)
        : base(PoolMessages.QueryWaitTimeout(limit, snapshot, oldestLeases, lastOpenError), lastOpenError)
    {
        Snapshot = snapshot;
        OldestLeases = oldestLeases;
    }

    /// <summary>The numbers of the pool when the caller's time was up.</summary>
    public PoolSnapshot Snapshot { get; }

    /// <summary>The leases that had been running the longest, the oldest first.</summary>
    public IReadOnlyList<LeaseInfo> OldestLeases { get; }
}
