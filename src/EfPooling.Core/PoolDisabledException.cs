namespace EfPooling.Core;

/// <summary>
/// A server connection was requested from a pool that an operator has disabled. Nothing was sent. Running work is not affected.
/// </summary>
public sealed class PoolDisabledException : InvalidOperationException
{
    internal PoolDisabledException(string poolName)
        : base($"Pool '{poolName}' is disabled and admits no new callers until it is enabled. Try again later.")
    {
    }
}
