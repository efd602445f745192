using System.Diagnostics.CodeAnalysis;
using System.Transactions;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using IsolationLevel = System.Data.IsolationLevel;

namespace EfPooling.AdoNet;

/// <summary>
/// What an open logical connection is doing and on which server connection: the claim of the one operation in flight, the
/// transaction, the ambient transaction and the pinned session. Used by whoever has the claim, and by Close.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Close ends what it holds.")]
internal sealed class ConnectionBinder
{
    private static readonly NamedOperation Beginning = new(LeaseScope.Transaction, "BEGIN", OperationKind.BeginTransaction);

    private readonly TransactionPoolingDataSource _pool;
    private readonly LogicalConnection _connection;

    // All used by whoever has the claim.
    private LogicalTransaction? _transaction;
    private AmbientEnlistment? _ambient;
    private PinnedSession? _session;
    private volatile bool _isClosed; // written by Close
    private bool _wasLeasedAsSession; // what it holds, or has held
    private PinReason? _pinReason; // from the statement that needs a session until the session is there

    public ConnectionBinder(TransactionPoolingDataSource pool, LogicalConnection connection)
    {
        _pool = pool;
        _connection = connection;
        Claim = new ConnectionClaim(this);
    }

    public TransactionPoolingDataSource Pool => _pool;

    /// <summary>Who uses the connection now.</summary>
    public ConnectionClaim Claim { get; }

    public ConcurrencyGuard Guard => _pool.Guard;

    /// <summary>What still runs goes on to its own end, but leaves nothing behind on the logical connection, which may be open again.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>Whoever has the claim is about to give it up, and still has it.</summary>
    public void OnClaimEnding() => _pinReason = null; // Whoever needed a session has one, or did not run.

    /// <summary>The claim was given up, with a full fence, so a transaction that somebody disposed meanwhile is seen here.</summary>
    public void OnClaimEnded()
    {
        if (_transaction is { IsAbandoned: true } abandoned)
        {
            abandoned.EndAbandoned();
        }
    }

    /// <summary>The session settings that a statement wants at this moment.</summary>
    public SettingMap ResolveSettings() => _connection.Settings?.Resolve(_pool.SettingInterner) ?? SettingMap.Empty;

    /// <summary>Lets a text run that relies on its session, refuses it, or pins the connection, as its effects and the options say.</summary>
    /// <exception cref="SessionStateException">The connection has no session for it.</exception>
    /// <param name="verdict">On the text.</param>
    /// <param name="isApart">It runs beside the claim, so it can rely on no session, and not get one.</param>
    public void Admit(SqlVerdict verdict, bool isApart)
    {
        foreach (var name in verdict.Settings)
        {
            if (_connection.Settings?.IsDeclared(name) == true)
            {
                throw SessionStateException.Declared(name, verdict.StatementWith(SessionEffects.Settings));
            }
        }

        var isInTransaction = !isApart && (_transaction is not null || CurrentAmbient is not null);
        if (!isApart && (_session is not null || _pool.Options.PoolMode == PoolMode.Session)
            && !(isInTransaction && verdict.Effects.HasFlag(SessionEffects.TransactionControl)))
        {
            return;
        }

        if (SessionNeeds.ReasonOf(verdict.Effects, isInTransaction, out var culprit) is { } reason)
        {
            var statement = verdict.StatementWith(culprit);
            if (isApart || _pool.Options.SessionState == SessionStatePolicy.Throw || _pool.Options.PoolMode == PoolMode.Statement
                || CurrentAmbient is not null || (isInTransaction && reason == PinReason.TransactionText))
            {
                throw SessionStateException.Create(reason, statement);
            }

            _pool.ReportPin(reason, statement);
            _pinReason = reason;
            _session = _transaction?.TryPin(reason);
        }
    }

    /// <summary>Notes what a text that is about to run may leave behind on its server connection.</summary>
    public void Expect(SqlVerdict verdict, ServerConnection server)
    {
        var effects = SessionNeeds.EffectsOf(verdict, _pool.Catalog);
        if (effects == SessionEffects.None && !verdict.Has(StatementKind.Savepoint))
        {
            return;
        }

        var settingsFollow = _session?.LastsUntilClose != true;
        server.Mark(SessionNeeds.TaintOf(effects, verdict, settingsFollow));
        if (verdict.Effects.HasFlag(SessionEffects.Settings) && settingsFollow)
        {
            var settings = _connection.RequireSettings();
            server.ExpectChanges(settings, this, verdict.ResetsAllSettings ? [.. verdict.Settings, .. server.Settings.Names, .. settings.FollowedNames] : verdict.Settings);
        }
        else if (verdict.Effects.HasFlag(SessionEffects.Settings) && _connection.Settings is { } left)
        {
            string[] names = verdict.ResetsAllSettings ? [.. verdict.Settings, .. left.FollowedNames] : [.. verdict.Settings];
            left.Forget(names); // The session keeps them itself.
            server.Settings.Forget(names);
        }

        // What is declared must hold for the next statement too, even in the same transaction.
        if (verdict.ResetsAllSettings || (effects & SessionNeeds.HiddenSettings) != 0)
        {
            DoubtDeclared(server);
        }

        if (verdict.Has(StatementKind.Savepoint) || effects.HasFlag(SessionEffects.TransactionControl))
        {
            server.Settings.DoubtRevocable();
        }
    }

    public Binding Bind(ILeaseHolder operation)
    {
        if (_transaction is not null)
        {
            return _transaction.Bind(operation);
        }

        if (CurrentAmbient is { } ambient)
        {
            return ambient.Bind(operation, this);
        }

        if (MustPin)
        {
            Pin();
        }

        return _session?.Bind() ?? new Binding(_pool, Acquire(operation));
    }

    public ValueTask<Binding> BindAsync(ILeaseHolder operation, CancellationToken cancellationToken)
    {
        if (_transaction is not null)
        {
            return _transaction.BindAsync(operation, cancellationToken);
        }

        if (CurrentAmbient is { } ambient)
        {
            return ambient.BindAsync(operation, this, cancellationToken);
        }

        if (MustPin)
        {
            return PinAndBindAsync();
        }

        if (_session is not null)
        {
            return new ValueTask<Binding>(_session.Bind());
        }

        var acquiring = AcquireAsync(operation, cancellationToken);
        return acquiring.IsCompletedSuccessfully ? new ValueTask<Binding>(new Binding(_pool, acquiring.Result)) : AwaitAsync(acquiring);

        async ValueTask<Binding> PinAndBindAsync()
        {
            await PinAsync(cancellationToken).ConfigureAwait(false);
            return _session!.Bind();
        }

        async ValueTask<Binding> AwaitAsync(ValueTask<Lease<ServerConnection>> lease) => new(_pool, await lease.ConfigureAwait(false));
    }

    /// <summary>
    /// A statement is about to run on this server connection. Whoever leased it as a session used it past us: a SET or ROLLBACK there may have changed
    /// what is declared, so it is set again before each statement, until nothing holds that server connection any more.
    /// </summary>
    public void OnAttaching(ServerConnection server)
    {
        if (_wasLeasedAsSession && IsUnbound)
        {
            _wasLeasedAsSession = false;
        }

        if (_wasLeasedAsSession || _ambient is { WasLeasedAsSession: true })
        {
            DoubtDeclared(server);
        }
    }

    private void DoubtDeclared(ServerConnection server)
        => server.Settings.Doubt(server.Settings.Names.Where(name => _connection.Settings?.IsDeclared(name) == true));

    public LogicalTransaction BeginTransaction(LogicalConnection connection, IsolationLevel isolationLevel, CallerInfo caller)
    {
        RefuseTransactionsInStatementMode();
        using var claim = Claim.Take(Beginning, connection);
        return Begin(connection, isolationLevel, caller);
    }

    /// <inheritdoc cref="BeginTransaction"/>
    public async ValueTask<LogicalTransaction> BeginTransactionAsync(
        LogicalConnection connection, IsolationLevel isolationLevel, CallerInfo caller, CancellationToken cancellationToken)
    {
        RefuseTransactionsInStatementMode();
        using var claim = await Claim.TakeAsync(Beginning, connection, cancellationToken).ConfigureAwait(false);
        return Begin(connection, isolationLevel, caller);
    }

    private void RefuseTransactionsInStatementMode()
    {
        if (_pool.Options.PoolMode == PoolMode.Statement)
        {
            throw new StatementModeException(_pool.Name, "transactions");
        }
    }

    private LogicalTransaction Begin(LogicalConnection connection, IsolationLevel isolationLevel, CallerInfo caller)
    {
        if (_transaction is not null || CurrentAmbient is not null)
        {
            throw new InvalidOperationException("A transaction is already in progress on this connection; PostgreSQL has no nested transactions. Use a savepoint (transaction.Save), or finish the first transaction.");
        }

        return _transaction = new LogicalTransaction(connection, this, isolationLevel, caller);
    }

    public void OnTransactionEnded(LogicalTransaction transaction)
    {
        if (ReferenceEquals(_transaction, transaction))
        {
            _transaction = null;
        }
    }

    public TransactionLease LeaseForTransaction(LogicalTransaction transaction)
    {
        if (MustPin)
        {
            Pin();
        }

        return _session is not null
            ? new TransactionLease(_pool, _session.Enter(), _session)
            : new TransactionLease(_pool, Acquire(transaction), session: null);
    }

    public async ValueTask<TransactionLease> LeaseForTransactionAsync(LogicalTransaction transaction, CancellationToken cancellationToken)
    {
        if (MustPin)
        {
            await PinAsync(cancellationToken).ConfigureAwait(false);
        }

        return _session is not null
            ? new TransactionLease(_pool, _session.Enter(), _session)
            : new TransactionLease(_pool, await AcquireAsync(transaction, cancellationToken).ConfigureAwait(false), session: null);
    }

    /// <param name="transaction"><c>null</c>: no longer take part in any.</param>
    public void Enlist(Transaction? transaction)
    {
        if (transaction is null)
        {
            _ambient = null;
            return;
        }

        if (_ambient?.Takes(transaction) == true)
        {
            return;
        }

        if (_pool.Options.PoolMode == PoolMode.Statement)
        {
            throw new StatementModeException(_pool.Name, "transactions");
        }

        if (CurrentAmbient is not null || _transaction is not null)
        {
            throw new InvalidOperationException("This connection already takes part in another transaction. Finish that one before enlisting the connection.");
        }

        var enlistment = _pool.Enlist(transaction, _session);
        if (enlistment.IsCompleted)
        {
            throw AmbientEnlistment.Completed();
        }

        _ambient = enlistment;
    }

    /// <summary>Makes sure that the pool can serve this connection; in session mode takes the session, unless an ambient transaction gives one for now.</summary>
    public void Open()
    {
        if (MustPin && CurrentAmbient is null)
        {
            Pin();
        }
        else
        {
            _pool.EnsureReachable();
        }
    }

    /// <inheritdoc cref="Open"/>
    public ValueTask OpenAsync(CancellationToken cancellationToken)
        => MustPin && CurrentAmbient is null ? PinAsync(cancellationToken) : _pool.EnsureReachableAsync(cancellationToken);

    public async ValueTask<SessionLease> LeaseSessionAsync(LogicalConnection connection, string reason, CancellationToken cancellationToken)
    {
        if (_pool.Options.PoolMode == PoolMode.Statement)
        {
            throw new StatementModeException(_pool.Name, "sessions");
        }

        var operation = new NamedOperation(LeaseScope.Session, reason, OperationKind.Session);
        using var claim = await Claim.TakeAsync(operation, connection, cancellationToken).ConfigureAwait(false);
        var wanted = ResolveSettings();
        _pool.ReportPin(PinReason.SessionLease, reason);
        _wasLeasedAsSession = true;
        if (_transaction is not null || CurrentAmbient is not null || _session is not null || MustPin)
        {
            var binding = await BindAsync(operation, cancellationToken).ConfigureAwait(false);
            try
            {
                await binding.ApplySettingsAsync(wanted, mayShareTransaction: false, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                binding.Observe(e);
                throw;
            }
            finally
            {
                await binding.EndAsync().ConfigureAwait(false); // The transaction or session goes on holding the server connection.
            }

            if (_transaction is null && CurrentAmbient is { } ambient)
            {
                return ambient.LeaseSession(this, reason);
            }

            return new SessionLease(_transaction?.Lease ?? _session?.Lease ?? throw AmbientEnlistment.Completed(), reason, null, null);
        }

        var session = new PinnedSession(_pool, PinReason.SessionLease, reason);
        session.Start(await _pool.AcquireAsync(session, cancellationToken).ConfigureAwait(false));
        await session.PrepareAsync(wanted, cancellationToken).ConfigureAwait(false);
        _session = session;
        return new SessionLease(
            session.Lease,
            reason,
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

    /// <summary>
    /// Ends everything that the connection holds, and then throws what closing the reader threw. A statement that another task is
    /// running goes on to its own end.
    /// </summary>
    public void Close()
    {
        Claim.RefuseWaiting();
        try
        {
            Claim.CloseReader();
        }
        finally
        {
            _transaction?.Dispose();
            _ambient = null;
            Interlocked.Exchange(ref _session, null)?.End();
            _isClosed = true;
            _connection.ForgetFollowedSettings();
        }
    }

    /// <inheritdoc cref="Close"/>
    public async ValueTask CloseAsync()
    {
        Claim.RefuseWaiting();
        try
        {
            await Claim.CloseReaderAsync().ConfigureAwait(false);
        }
        finally
        {
            if (_transaction is not null)
            {
                await _transaction.DisposeAsync().ConfigureAwait(false);
            }

            _ambient = null;
            if (Interlocked.Exchange(ref _session, null) is { } session)
            {
                await session.EndAsync().ConfigureAwait(false);
            }

            _isClosed = true;
            _connection.ForgetFollowedSettings();
        }
    }

    private Lease<ServerConnection> Acquire(ILeaseHolder holder) => Remember(_pool.Acquire(holder, CancellationToken.None, _connection.LastServer));

    private ValueTask<Lease<ServerConnection>> AcquireAsync(ILeaseHolder holder, CancellationToken cancellationToken)
    {
        return _pool.Shuffles ? RememberAsync() : _pool.AcquireAsync(holder, cancellationToken);

        async ValueTask<Lease<ServerConnection>> RememberAsync()
            => Remember(await _pool.AcquireAsync(holder, cancellationToken, _connection.LastServer).ConfigureAwait(false));
    }

    private Lease<ServerConnection> Remember(Lease<ServerConnection> lease)
    {
        _connection.LastServer = _pool.Shuffles ? lease.Connection : null;
        return lease;
    }

    // Inside the scope of a transaction that has aborted, nothing may run on its own.
    private AmbientEnlistment? CurrentAmbient => _ambient is { IsCompleted: true, IsCurrent: false } ? _ambient = null : _ambient;

    // Nothing binds the connection to one session. Read by whoever has no claim, so it changes nothing.
    public bool IsUnbound
        => _transaction is null && _session is null && _pool.Options.PoolMode != PoolMode.Session && (_ambient is null || _ambient is { IsCompleted: true, IsCurrent: false });

    // A statement needs a session; or session mode, just opened, or opened in an ambient transaction that has completed since.
    private bool MustPin => _session is null && (_pinReason is not null || _pool.Options.PoolMode == PoolMode.Session);

    private void Pin()
    {
        var session = NewSession();
        try
        {
            _session = session.Start(_pool.Acquire(session, CancellationToken.None));
        }
        finally
        {
            _pinReason = null; // If that failed, the statement does not run, and the next one may need no session.
        }
    }

    private async ValueTask PinAsync(CancellationToken cancellationToken)
    {
        var session = NewSession();
        try
        {
            _session = session.Start(await _pool.AcquireAsync(session, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _pinReason = null;
        }
    }

    private PinnedSession NewSession()
    {
        if (_pinReason is null)
        {
            _pool.ReportPin(PinReason.SessionMode, statement: null);
        }

        return new PinnedSession(_pool, _pinReason ?? PinReason.SessionMode);
    }

    private void Unpin(PinnedSession session)
    {
        if (ReferenceEquals(_session, session))
        {
            _session = null;
        }
    }
}
