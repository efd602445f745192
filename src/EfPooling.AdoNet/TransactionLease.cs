using System.Data;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The server side of a transaction: the server connection, the transaction on it, and the lease, which is the transaction's own
/// unless the connection was pinned.
/// </summary>
/// <param name="pool">Told about failures that nobody else sees.</param>
/// <param name="lease">The transaction's own or the session's.</param>
/// <param name="session">The session whose lease it is, already entered; <c>null</c> if the lease is the transaction's own.</param>
internal sealed class TransactionLease(TransactionPoolingDataSource pool, Lease<ServerConnection> lease, PinnedSession? session)
{
    private NpgsqlTransaction? _inner;
    private PinnedSession? _session = session;

    public Lease<ServerConnection> Lease => lease;

    public ServerConnection Server { get; } = lease.Connection;

    public NpgsqlTransaction Inner => _inner!;

    /// <summary>Lets BEGIN travel with the next command; sends nothing itself. If it fails, the lease has ended.</summary>
    /// <param name="isolationLevel">Of the transaction.</param>
    /// <param name="wanted">
    /// Settings that travel ahead of BEGIN if they can, so that no rollback undoes them. If the server refuses them, the connection is
    /// closed and the transaction cannot commit, whatever has run in it.
    /// </param>
    public void Begin(IsolationLevel isolationLevel, SettingMap? wanted = null)
    {
        try
        {
            if (wanted is not null && !Server.Settings.Are(wanted))
            {
                Server.TrySend(wanted, inOwnTransaction: true);
            }

            _inner = Server.Npgsql.BeginTransaction(isolationLevel);
        }
        catch (Exception e)
        {
            Server.Observe(e);
            End();
            throw;
        }
    }

    /// <summary>Turns the lease into that of a session, which goes on after the transaction.</summary>
    public PinnedSession Pin(PinReason reason)
    {
        if (_session is null)
        {
            _session = new PinnedSession(pool, reason).Start(lease);
            _session.Enter();
        }

        return _session;
    }

    public void RollbackQuietly()
    {
        try
        {
            Inner.Rollback();
        }
        catch (Exception e)
        {
            Server.Mark(Taint.Unresettable); // The connection is closed, and that rolls back.
            pool.ReportFailedRollback(e);
        }
    }

    public async ValueTask RollbackQuietlyAsync()
    {
        try
        {
            await Inner.RollbackAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Server.Mark(Taint.Unresettable); // The connection is closed, and that rolls back.
            pool.ReportFailedRollback(e);
        }
    }

    public void End()
    {
        _inner?.Dispose();
        Server.Settings.OnTransactionEnded();
        if (_session is null)
        {
            lease.End();
        }
        else
        {
            _session.OnStatementEnded();
        }
    }

    public async ValueTask EndAsync()
    {
        if (_inner is not null)
        {
            await _inner.DisposeAsync().ConfigureAwait(false);
        }

        Server.Settings.OnTransactionEnded();
        if (_session is null)
        {
            await lease.EndAsync().ConfigureAwait(false);
        }
        else
        {
            await _session.OnStatementEndedAsync().ConfigureAwait(false);
        }
    }
}
