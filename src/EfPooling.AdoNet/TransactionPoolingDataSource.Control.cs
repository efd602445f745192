using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>What an operator orders while the application runs. The words are PgBouncer's.</summary>
public sealed partial class TransactionPoolingDataSource
{
    private static readonly TimeSpan DefaultReconnectTime = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Holds callers back, and returns when every lease has come back and every server connection of the pool is closed
    /// (PgBouncer <c>PAUSE</c>): for a restart of the server, or while a database is moved. Callers wait for
    /// <see cref="Resume"/>, within their <see cref="PoolOptions.QueryWaitTimeout"/>. Running transactions and sessions go on to
    /// their end.
    /// </summary>
    /// <remarks>
    /// Everybody who asks for this pool gets the paused pool. The connection of <see cref="SubscribeAsync"/> stands beside the
    /// pool and is not closed. Closing a paused pool refuses the waiting callers at once.
    /// </remarks>
    /// <param name="cancellationToken">
    /// Cancellation lets the pool go on, unless it is paused already, or another call waits for the pause.
    /// </param>
    /// <exception cref="PoolClosedException">The pool is closing, or was closed meanwhile.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or <see cref="Resume"/> was called meanwhile.</exception>
    public Task PauseAsync(CancellationToken cancellationToken = default) => _pool.PauseAsync(cancellationToken);

    /// <summary>Lets the callers of a paused pool go on, in the order of their waiting (PgBouncer <c>RESUME</c>).</summary>
    /// <returns>Whether the pool was paused.</returns>
    public bool Resume() => _pool.Resume();

    /// <summary>
    /// Refuses new callers at once with <see cref="PoolDisabledException"/> (PgBouncer <c>DISABLE</c>): every open of a
    /// connection, and every statement outside a running transaction or session. What runs, and callers that already wait, are
    /// not affected.
    /// </summary>
    /// <exception cref="PoolClosedException">The pool is closing.</exception>
    public void Disable() => _pool.Disable();

    /// <summary>Admits new callers again (PgBouncer <c>ENABLE</c>).</summary>
    /// <returns>Whether the pool was disabled.</returns>
    public bool Enable() => _pool.Enable();

    /// <summary>
    /// <see cref="Disable">Disables</see> the pool, and returns when nothing runs and no caller waits (PgBouncer
    /// <c>SHUTDOWN WAIT_FOR_CLIENTS</c>, without the shutdown). Server connections stay open, and <see cref="Enable"/> admits
    /// callers again.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait. The pool stays disabled.</param>
    /// <exception cref="PoolClosedException">The pool is closing, or was closed meanwhile.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled, or <see cref="Enable"/> was called meanwhile.</exception>
    public Task DrainAsync(CancellationToken cancellationToken = default) => _pool.DrainAsync(cancellationToken);

    /// <summary>
    /// Replaces every server connection by a new one (PgBouncer <c>RECONNECT</c>), one after the other, so that the server is not
    /// flooded with logins: an idle one when its turn comes, one in use at its release after that. While the server
    /// accepts no login, the old connections are kept, except for one that was given up for the attempt. Callers see an error only
    /// if that was the pool's only connection.
    /// </summary>
    /// <remarks>
    /// For a server whose address, certificate or settings have changed. <see cref="PoolSnapshot.Outdated"/> says how many are
    /// left. <see cref="Clear"/> closes all idle connections at once instead.
    /// </remarks>
    /// <param name="over">The time in which the turns come. Default 10 s. Zero: as fast as logins allow.</param>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative or longer than 24 days; nothing was changed.</exception>
    public void Reconnect(TimeSpan? over = null) => _pool.Reconnect(over ?? DefaultReconnectTime);
}
