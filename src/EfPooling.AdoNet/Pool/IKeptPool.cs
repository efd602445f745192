using Microsoft.Extensions.Logging;

namespace EfPooling.AdoNet;

/// <summary>A pool, as those see it who keep it while it is used and let it go afterwards.</summary>
internal interface IKeptPool
{
    string Name { get; }

    TransactionPoolingOptions Options { get; }

    ILogger Logger { get; }

    bool IsClosed { get; }

    /// <summary>Sees whether the pool is used; <c>null</c> if it is kept in any case.</summary>
    PoolIdleWatch? IdleWatch { get; }

    /// <summary>Lets the pool go when nobody uses it any more. Call once, before any other flow has it.</summary>
    /// <param name="entry">Under which it is kept.</param>
    void LeaveWhenUnused(IPoolEntry entry);

    /// <summary>Whether a lease runs, somebody waits, or somebody subscribes.</summary>
    /// <param name="uses">Grows with each use.</param>
    bool IsInUse(out long uses);

    /// <summary>Closes every server connection and keeps none until somebody comes, and forgets the catalog, unless the pool is used.</summary>
    /// <returns>Whether nobody used it.</returns>
    bool TryRest();

    void CloseForgotten();

    void CloseIfSourceIsDisposed();
}
