namespace EfPooling.AdoNet;

/// <summary>
/// A transaction or session was requested from a pool in statement mode, in which a server connection is held for one command
/// only.
/// </summary>
public sealed class StatementModeException : NotSupportedException
{
    internal StatementModeException(string poolName, string what)
        : base($"Pool '{poolName}' runs in statement mode, which has no {what}. Use PoolMode.Transaction for this pool, or do the work in one command.")
    {
    }
}
