using System.Data;
using System.Data.Common;

namespace EfPooling.AdoNet;

/// <summary>
/// A transaction of a <see cref="LogicalConnection"/>. It takes a server connection with its first command, which BEGIN
/// accompanies, and releases it with commit or rollback. Without a command it never reaches the server.
/// </summary>
/// <remarks>
/// If the server connection breaks, the transaction is lost and its connection closed. Every later command on it throws
/// <see cref="TransactionBrokenException"/> until the connection is opened again. Not thread-safe; a second operation at the same
/// time throws <see cref="ConcurrentUseException"/>.
/// </remarks>
public sealed class LogicalTransaction : DbTransaction
{
    private readonly LogicalConnection _connection;

    internal LogicalTransaction(LogicalConnection connection, ServerTransaction inner) => (_connection, Inner) = (connection, inner);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The transaction has completed, as with Npgsql.</exception>
    public override IsolationLevel IsolationLevel => Inner.IsolationLevel;

    /// <inheritdoc/>
    public override bool SupportsSavepoints => true;

    /// <summary>
    /// The connection that began the transaction; <c>null</c> once that connection was closed, even if it is open again.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The transaction was disposed.</exception>
    public new LogicalConnection? Connection => Inner.HasConnection ? _connection : null;

    /// <inheritdoc/>
    protected override DbConnection? DbConnection => Connection;

    /// <summary>The transaction on the server.</summary>
    internal ServerTransaction Inner { get; }

    /// <inheritdoc cref="ServerTransaction.IsOver"/>
    internal bool IsOver => Inner.IsOver;

    /// <summary>Commits the transaction; nothing is sent if it ran no command.</summary>
    /// <exception cref="CommitOutcomeUnknownException">The connection broke while COMMIT was under way.</exception>
    /// <exception cref="TransactionBrokenException">The connection broke before; the server has rolled back.</exception>
    public override void Commit() => Inner.Commit();

    /// <inheritdoc cref="Commit"/>
    /// <param name="cancellationToken">
    /// Observed until COMMIT is sent. After that nothing interrupts it, because the outcome would be unknown.
    /// </param>
    public override Task CommitAsync(CancellationToken cancellationToken = default) => Inner.CommitAsync(cancellationToken);

    /// <summary>
    /// Rolls the transaction back. Does nothing after a failed commit or a broken connection, because the server has rolled back.
    /// Does not throw if the connection breaks now.
    /// </summary>
    public override void Rollback() => Inner.Rollback();

    /// <inheritdoc cref="Rollback()"/>
    /// <param name="cancellationToken">Observed until ROLLBACK is sent.</param>
    public override Task RollbackAsync(CancellationToken cancellationToken = default) => Inner.RollbackAsync(cancellationToken);

    /// <inheritdoc/>
    public override void Save(string savepointName) => Inner.Save(savepointName);

    /// <inheritdoc/>
    public override Task SaveAsync(string savepointName, CancellationToken cancellationToken = default) => Inner.SaveAsync(savepointName, cancellationToken);

    /// <inheritdoc/>
    public override void Rollback(string savepointName) => Inner.Rollback(savepointName);

    /// <inheritdoc/>
    public override Task RollbackAsync(string savepointName, CancellationToken cancellationToken = default) => Inner.RollbackAsync(savepointName, cancellationToken);

    /// <inheritdoc/>
    public override void Release(string savepointName) => Inner.Release(savepointName);

    /// <inheritdoc/>
    public override Task ReleaseAsync(string savepointName, CancellationToken cancellationToken = default) => Inner.ReleaseAsync(savepointName, cancellationToken);

    /// <summary>
    /// Rolls an uncommitted transaction back. Does not throw. If the server cannot be told, its connection is closed.
    /// </summary>
    public override async ValueTask DisposeAsync()
    {
        await Inner.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc cref="DisposeAsync"/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Inner.Dispose();
        }

        base.Dispose(disposing);
    }
}
