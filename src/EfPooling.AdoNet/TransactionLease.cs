using System.Data;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The server side of a transaction: the server connection, the transaction on it, and the lease if the transaction owns it (it does
/// not while the connection is pinned).
/// </summary>
internal sealed class TransactionLease(TransactionPoolingDataSource pool, Lease<ServerConnection> lease, bool ownsLease)
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
        if (ownsLease)
        {
            lease.End();
        }
    }

    public async ValueTask EndAsync()
    {
        if (_inner is not null)
        {
            await _inner.DisposeAsync().ConfigureAwait(false);
        }

        if (ownsLease)
        {
            await lease.EndAsync().ConfigureAwait(false);
        }
    }
}
