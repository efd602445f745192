using Microsoft.Extensions.Logging;

namespace EfPooling.AdoNet;

/// <summary>A pool, as seen by the objects that keep it while it is used and remove it afterwards.</summary>
internal interface IKeptPool
{
    string Name { get; }

    TransactionPoolingOptions Options { get; }

    ILogger Logger { get; }

    bool IsClosed { get; }

    /// <summary>Checks whether the pool is used; <c>null</c> if it is always kept.</summary>
    PoolIdleWatch? IdleWatch { get; }

    /// <summary>Makes the entry let the pool go once it is unused. Call once, before any other flow has the pool.</summary>
    /// <param name="entry">The entry that keeps it.</param>
    void LeaveWhenUnused(IPoolEntry entry);

    /// <summary>Whether a lease runs, a caller waits, a subscription exists, or an operator holds callers back.</summary>
    /// <param name="uses">Grows with each use.</param>
    bool IsInUse(out long uses);

    /// <summary>
    /// If the pool is unused, closes every server connection, keeps none until the next caller, and forgets the catalog.
    /// </summary>
    /// <returns>Whether it was unused.</returns>
    bool TryRest();

    void CloseForgotten();

    void CloseIfSourceIsDisposed();
}
