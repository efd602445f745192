namespace EfPooling.Core;

/// <summary>The life of a pool.</summary>
public enum PoolPhase
{
    /// <summary>Leases are granted.</summary>
    Running,

    /// <summary>Closing: new callers are refused, callers that already wait are still served.</summary>
    Draining,

    /// <summary>Nothing is granted any more. The connection of a running lease is closed when the lease is released.</summary>
    Closed,
}
