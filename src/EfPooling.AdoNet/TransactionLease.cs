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

    public Lease<ServerConnection> Lease => lease;

    public ServerConnection Server { get; } = lease.Connection;

    public NpgsqlTransaction Inner => _inner!;

    /// <summary>Lets BEGIN travel with the next command; sends nothing itself. If it fails, the lease has ended.</summary>
    public void Begin(IsolationLevel isolationLevel)
    {
        try
        {
            _inner = Server.Npgsql.BeginTransaction(isolationLevel);
        }
        catch (Exception e)
        {
            Server.Observe(e);
            End();
            throw;
        }
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
        if (session is null)
        {
            lease.End();
        }
        else
        {
            session.OnStatementEnded();
        }
    }

    public async ValueTask EndAsync()
    {
        if (_inner is not null)
        {
            await _inner.DisposeAsync().ConfigureAwait(false);
        }

        if (session is null)
        {
            await lease.EndAsync().ConfigureAwait(false);
        }
        else
        {
            await session.OnStatementEndedAsync().ConfigureAwait(false);
        }
    }
}
