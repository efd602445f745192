namespace EfPooling.Core;

/// <summary>Whoever holds a lease; read by diagnostics from any thread while the lease runs.</summary>
internal interface ILeaseHolder
{
    /// <summary>What ends the lease.</summary>
    LeaseScope Scope { get; }

    /// <summary>What the holder is doing, on one line, without parameter values; <c>null</c> if it cannot tell.</summary>
    string? Activity { get; }

    /// <summary>
    /// The holder works best on an idle connection that was released with this very object (<see cref="Lease{T}.Release(object?)"/>). Read once, by
    /// the thread that acquires. Whoever waits gets the next connection whatever its affinity is.
    /// </summary>
    /// <value>Default <c>null</c>: a connection released without affinity is the best one.</value>
    object? Affinity => null;
}
