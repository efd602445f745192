namespace EfPooling.Core;

/// <summary>Opens, checks and closes the server connections of a pool. Called by the pool only, never under its gate.</summary>
/// <typeparam name="T">The server connection.</typeparam>
internal interface IServerConnector<T>
    where T : class
{
    /// <summary>Opens a server connection.</summary>
    /// <remarks>
    /// Runs in the background on behalf of every waiter, with an empty execution context: without the current trace and other
    /// async-local values of the caller that caused it. (A TransactionScope without asynchronous flow belongs to the thread and
    /// is still present: never enlist.) It must end by itself within <see cref="PoolOptions.ServerConnectTimeout"/>. It must not
    /// need the thread pool to end, because callers may block all of its threads. It should return its task at once: work before
    /// that runs on the thread of the caller that made the open necessary.
    /// </remarks>
    /// <param name="cancellationToken">Cancelled when the pool is closed or cleared.</param>
    /// <returns>The open connection. An exception of the task is passed to the waiters unchanged.</returns>
    Task<T> OpenAsync(CancellationToken cancellationToken);

    /// <summary>Asks the server, with a round trip, whether the connection still works. Does not fail.</summary>
    /// <remarks>
    /// It must end by itself. The pool waits a few seconds at most, but does not use the connection until the check has ended.
    /// </remarks>
    Task<bool> IsAliveAsync(T connection);

    /// <summary>
    /// Like <see cref="IsAliveAsync"/>, for a caller that blocks. Like <see cref="OpenAsync"/>, it must not need the thread pool
    /// to end.
    /// </summary>
    Task<bool> IsAliveOnThreadAsync(T connection);

    /// <summary>Closes the connection. The slot is free when the task ends.</summary>
    /// <remarks>
    /// Returns its task at once, because a caller that releases its lease must not wait for the network. Must not need the thread
    /// pool to end (see <see cref="OpenAsync"/>), because callers wait for the slot. Does not fail; a failure counts as closed.
    /// </remarks>
    Task CloseAsync(T connection);
}
