namespace EfPooling.Core;

/// <summary>The life of a pool.</summary>
public enum PoolPhase
{
    /// <summary>Leases are granted.</summary>
    Running,

    /// <summary>Closing: nobody new is admitted, whoever was already waiting is still served.</summary>
    Draining,

    /// <summary>Nothing is granted any more; leases that are still out are closed when they are released.</summary>
    Closed,
}
