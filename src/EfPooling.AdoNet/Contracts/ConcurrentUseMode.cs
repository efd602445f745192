namespace EfPooling.AdoNet;

/// <summary>What happens to a second operation while one is running on the same connection or context.</summary>
public enum ConcurrentUseMode
{
    /// <summary>It throws <see cref="ConcurrentUseException"/>. Nothing of it reaches the server.</summary>
    Throw,

    /// <summary>
    /// Asynchronous callers of one connection wait for each other in order of arrival, for at most
    /// <see cref="Core.PoolOptions.QueryWaitTimeout"/>. Synchronous callers and concurrent use of a <c>DbContext</c> throw.
    /// </summary>
    Serialize,
}
