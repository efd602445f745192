using System.Transactions;
using EfPooling.Core;
using IsolationLevel = System.Data.IsolationLevel;

namespace EfPooling.AdoNet;

/// <content>What the application binds its connection to: a transaction, an ambient transaction, a leased session.</content>
internal sealed partial class ConnectionScope
{
    private static readonly NamedOperation Beginning = new(LeaseScope.Transaction, "BEGIN", OperationKind.BeginTransaction);

    /// <exception cref="StatementModeException">The pool runs in statement mode.</exception>
    public ServerTransaction BeginTransaction(IsolationLevel isolationLevel, CallerInfo caller)
    {
        RefuseInStatementMode("transactions");
        using var entry = Gate.Enter(Beginning, _connection);
        return Begin(isolationLevel, caller);
    }

    /// <inheritdoc cref="BeginTransaction"/>
    public async ValueTask<ServerTransaction> BeginTransactionAsync(IsolationLevel isolationLevel, CallerInfo caller, CancellationToken cancellationToken)
    {
        RefuseInStatementMode("transactions");
        using var entry = await Gate.EnterAsync(Beginning, _connection, cancellationToken).ConfigureAwait(false);
        return Begin(isolationLevel, caller);
    }

    private ServerTransaction Begin(IsolationLevel isolationLevel, CallerInfo caller)
    {
        if (OnTop is not null)
        {
            throw HasTransaction();
        }

        var transaction = new ServerTransaction(_connection, this, isolationLevel, caller);
        return TryPut(transaction) ? transaction : throw HasTransaction();
    }

    /// <param name="transaction"><c>null</c>: no longer take part in any.</param>
    public void Enlist(Transaction? transaction)
    {
        if (transaction is null)
        {
            DropAmbient();
            return;
        }

        if (_onTop is AmbientPlacement present && present.Takes(transaction))
        {
            return;
        }

        RefuseInStatementMode("transactions");
        if (OnTop is not null)
        {
            throw HasAmbientTransaction();
        }

        var enlistment = Execution.Enlist(transaction, _session);
        if (enlistment.IsCompleted)
        {
            throw AmbientEnlistment.Completed();
        }

        if (!TryPut(new AmbientPlacement(enlistment, this)))
        {
            throw HasAmbientTransaction();
        }
    }

    /// <summary>Gives the caller the server connection that the connection works on now, or a session that lasts as long as the lease.</summary>
    /// <exception cref="StatementModeException">The pool runs in statement mode.</exception>
    public async ValueTask<SessionGrant> LeaseSessionAsync(string reason, CancellationToken cancellationToken)
    {
        RefuseInStatementMode("sessions");
        var operation = new NamedOperation(LeaseScope.Session, reason, OperationKind.Session);
        using var entry = await Gate.EnterAsync(operation, _connection, cancellationToken).ConfigureAwait(false);
        var wanted = ResolveSettings();
        _pool.ReportPin(PinReason.SessionLease, reason);
        if (OnTop is not null || _session is not null || MustPin)
        {
            return await LeasePlacedAsync(operation, wanted, reason, cancellationToken).ConfigureAwait(false);
        }

        var session = new PinnedSession(this, PinReason.SessionLease, reason);
        session.Start(await _pool.AcquireAsync(session, cancellationToken).ConfigureAwait(false));
        await session.PrepareAsync(wanted, cancellationToken).ConfigureAwait(false);
        _session = session;
        return new SessionGrant(
            session.Lease,
            () =>
            {
                Unpin(session);
                session.End();
            },
            () =>
            {
                Unpin(session);
                return session.EndAsync();
            });
    }

    // The transaction or session goes on holding the server connection.
    private async ValueTask<SessionGrant> LeasePlacedAsync(NamedOperation operation, SettingMap wanted, string reason, CancellationToken cancellationToken)
    {
        var binding = await BindAsync(operation, cancellationToken).ConfigureAwait(false);
        try
        {
            OnAttaching(binding.Server);
            await binding.ApplySettingsAsync(wanted, verdict: null, mayShareTransaction: false, cancellationToken).ConfigureAwait(false);
            if (OnTop is AmbientPlacement ambient)
            {
                return ambient.LeaseSession(reason); // Before others in the transaction may run something again.
            }
        }
        catch (Exception e)
        {
            binding.Observe(e);
            throw;
        }
        finally
        {
            await binding.EndAsync().ConfigureAwait(false);
        }

        return new SessionGrant(Transaction?.Lease ?? _session?.Lease ?? throw AmbientEnlistment.Completed(), null, null);
    }

    private void RefuseInStatementMode(string what)
    {
        if (_pool.Options.RunsSingleStatements)
        {
            throw new StatementModeException(_pool.Name, what);
        }
    }

    private bool TryPut(IPlacement placement) => Interlocked.CompareExchange(ref _onTop, placement, null) is null;

    private void Unpin(PinnedSession session)
    {
        if (ReferenceEquals(_session, session))
        {
            _session = null;
        }
    }

    private static InvalidOperationException HasTransaction()
        => new("A transaction is already in progress on this connection; PostgreSQL has no nested transactions. Use a savepoint (transaction.Save), or finish the first transaction.");

    private static InvalidOperationException HasAmbientTransaction()
        => new("This connection already takes part in another transaction. Finish that one before enlisting the connection.");
}
