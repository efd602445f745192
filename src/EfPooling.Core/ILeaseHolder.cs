namespace EfPooling.Core;

/// <summary>The holder of a lease; read by diagnostics from any thread while the lease runs.</summary>
internal interface ILeaseHolder
{
    /// <summary>What ends the lease.</summary>
    LeaseScope Scope { get; }

    /// <summary>What the holder is doing, on one line, without parameter values; <c>null</c> if it cannot tell.</summary>
    string? Activity { get; }

    /// <summary>
    /// The object that marks the idle connections this holder prefers: those released with the same object
    /// (<see cref="Lease{T}.Release(object?)"/>). Read once, by the acquiring thread. A caller that waits gets the next
    /// connection, whatever its affinity.
    /// </summary>
    /// <value>Default <c>null</c>: a connection released without affinity is preferred.</value>
    object? Affinity => null;
}
