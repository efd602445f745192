namespace EfPooling.Core;

/// <summary>Whoever holds a lease; read by diagnostics from any thread while the lease runs.</summary>
public interface ILeaseHolder
{
    /// <summary>What ends the lease.</summary>
    LeaseScope Scope { get; }

    /// <summary>What the holder is doing, on one line, without parameter values; <c>null</c> if it cannot tell.</summary>
    string? Activity { get; }
}
