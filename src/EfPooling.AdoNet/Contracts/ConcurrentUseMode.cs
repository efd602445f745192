namespace EfPooling.AdoNet;

/// <summary>What happens to a second operation while one is running on the same connection or context.</summary>
public enum ConcurrentUseMode
{
    /// <summary>It throws <see cref="ConcurrentUseException"/> before anything of it reaches the server.</summary>
    Throw,

    /// <summary>
    /// Asynchronous callers of one connection wait for each other in order of arrival, for <see cref="Core.PoolOptions.QueryWaitTimeout"/> at
    /// most; synchronous callers and concurrent use of a <c>DbContext</c> throw.
    /// </summary>
    Serialize,

    /// <summary>
    /// A warning is logged, and a command outside a transaction and session runs on a server connection of its own. Everything else
    /// throws, because one session cannot run two operations.
    /// </summary>
    Log,

    /// <summary>Like <see cref="Log"/> without the warning; a <c>DbContext</c> is watched by EF Core's own detector only.</summary>
    Off,
}
