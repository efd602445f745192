using System.Data;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The server side of a transaction: the server connection, the transaction on it, and the lease, which is the transaction's own
/// unless the connection was pinned.
/// </summary>
/// <param name="pool">Told about failures that no caller sees.</param>
/// <param name="lease">The transaction's own or the session's.</param>
/// <param name="session">The session whose lease it is, already entered; <c>null</c> if the lease is the transaction's own.</param>
internal sealed class TransactionLease(PoolContext pool, Lease<ServerConnection> lease, PinnedSession? session)
{
    private NpgsqlTransaction? _inner;
    private PinnedSession? _session = session;

    public Lease<ServerConnection> Lease => lease;

    public ServerConnection Server { get; } = lease.Connection;

    public NpgsqlTransaction Inner => _inner!;

    /// <summary>Lets BEGIN travel with the next command. If it fails, the lease has ended.</summary>
    /// <param name="isolationLevel">Of the transaction.</param>
    /// <param name="wanted">Settings to be in force before BEGIN, so that no rollback undoes them. They travel ahead of it, or take a round trip if the server might refuse them.</param>
    public void Begin(IsolationLevel isolationLevel, SettingMap wanted)
    {
        try
        {
            Server.EnsureSettings(wanted, SettingRoute.AheadOfTransaction, MayBeInTransaction);
            Server.ForgetSequenceValues();
            _inner = Server.Npgsql.BeginTransaction(isolationLevel);
        }
        catch (Exception e)
        {
            Server.Observe(e);
            End();
            throw;
        }
    }

    /// <inheritdoc cref="Begin(IsolationLevel, SettingMap)"/>
    public async ValueTask BeginAsync(IsolationLevel isolationLevel, SettingMap wanted, CancellationToken cancellationToken)
    {
        try
        {
            await Server.EnsureSettingsAsync(wanted, SettingRoute.AheadOfTransaction, MayBeInTransaction, cancellationToken).ConfigureAwait(false);
            Server.ForgetSequenceValues();
            _inner = Server.Npgsql.BeginTransaction(isolationLevel); // Sends nothing yet.
        }
        catch (Exception e)
        {
            Server.Observe(e);
            await EndAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Begins without settings: each statement brings those that it wants.</summary>
    public void Begin(IsolationLevel isolationLevel)
    {
        try
        {
            Server.ForgetSequenceValues();
            _inner = Server.Npgsql.BeginTransaction(isolationLevel);
        }
        catch (Exception e)
        {
            Server.Observe(e);
            End();
            throw;
        }
    }

    /// <summary>Rolls back and begins again on the same server connection.</summary>
    public void Restart(IsolationLevel isolationLevel)
    {
        Inner.Rollback();
        Server.Settings.OnTransactionEnded();
        _inner = Server.Npgsql.BeginTransaction(isolationLevel);
    }

    /// <inheritdoc cref="Restart"/>
    public async Task RestartAsync(IsolationLevel isolationLevel)
    {
        await Inner.RollbackAsync().ConfigureAwait(false);
        Server.Settings.OnTransactionEnded();
        _inner = Server.Npgsql.BeginTransaction(isolationLevel); // Sends nothing yet.
    }

    // On a session, SQL may have begun a transaction as text.
    private bool MayBeInTransaction => _session is not null;

    /// <summary>Turns the lease into that of a session, which goes on after the transaction.</summary>
    public PinnedSession Pin(ISessionHolder holder, PinReason reason)
    {
        if (_session is null)
        {
            _session = new PinnedSession(holder, reason).Start(lease);
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
            Server.Mark(Taint.Desynchronized); // The connection is closed, and that rolls back.
            Log.RollbackFailed(pool.Logger, e);
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
            Server.Mark(Taint.Desynchronized); // The connection is closed, and that rolls back.
            Log.RollbackFailed(pool.Logger, e);
        }
    }

    /// <summary>Rolls back and ends, for System.Transactions and its timer.</summary>
    public void RollBackAndEndQuietly()
    {
        RollbackQuietly();
        EndQuietly();
    }

    /// <summary>Ends, called from inside System.Transactions and its timer, where nobody could catch anything.</summary>
    public void EndQuietly()
    {
        try
        {
            End();
        }
        catch (Exception e)
        {
            Log.RollbackFailed(pool.Logger, e);
        }
    }

    public void End()
    {
        try
        {
            _inner?.Dispose();
        }
        finally
        {
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
    }

    public async ValueTask EndAsync()
    {
        try
        {
            if (_inner is not null)
            {
                await _inner.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
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
}
