namespace EfPooling.Core;

/// <summary>A server connection was requested from a pool that is closed or closing.</summary>
public sealed class PoolClosedException(string poolName)
    : ObjectDisposedException(poolName, $"Pool '{poolName}' is closed and gives out no more server connections. Close the pool after its last user, at the end of the host.");
