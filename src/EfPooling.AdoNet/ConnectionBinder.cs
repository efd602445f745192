using System.Diagnostics.CodeAnalysis;
using System.Transactions;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using IsolationLevel = System.Data.IsolationLevel;

namespace EfPooling.AdoNet;

/// <summary>
/// What an open logical connection is doing and on which server connection: the claim of the one operation in flight, the open
/// reader, the transaction, the ambient transaction and the pinned session. Used by whoever has claimed it, and by Close.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Close ends what it holds.")]
internal sealed class ConnectionBinder(TransactionPoolingDataSource pool, LogicalConnection connection)
{
    private static readonly NamedOperation Beginning = new(LeaseScope.Transaction, "BEGIN");

    private ILeaseHolder? _operation; // Interlocked only
    private LogicalDataReader? _reader;
    private IReaderLease? _detached; // whose reader was given away
    private LogicalTransaction? _transaction;
    private AmbientEnlistment? _ambient;
    private PinnedSession? _session;
    private PinReason? _pinReason; // from the statement that needs a session until the session is there

    public TransactionPoolingDataSource Pool => pool;

    public void Claim(ILeaseHolder operation)
    {
        if (Interlocked.CompareExchange(ref _operation, operation, null) is { } running)
        {
            throw new ConcurrentUseException(running.Activity, operation.Activity);
        }
    }

    public ClaimScope Claimed(ILeaseHolder operation)
    {
        Claim(operation);
        return new ClaimScope(this, operation);
    }

    public bool TryClaim(ILeaseHolder operation) => Interlocked.CompareExchange(ref _operation, operation, null) is null;

    public void Unclaim(ILeaseHolder operation)
    {
        // Full fences here and in TryClaim: whoever disposes a transaction meanwhile either gets the claim or is seen here.
        if (Interlocked.CompareExchange(ref _operation, null, operation) == operation && _transaction is { IsAbandoned: true } abandoned)
        {
            abandoned.EndAbandoned();
        }
    }

    /// <summary>The session settings that a statement wants at this moment.</summary>
    public SettingMap ResolveSettings() => connection.Settings?.Resolve(pool.SettingInterner) ?? SettingMap.Empty;

    /// <summary>Lets a text run that relies on its session, refuses it, or pins the connection, as its effects and the options say.</summary>
    /// <exception cref="SessionStateException">The connection has no session for it.</exception>
    public void Admit(SqlVerdict verdict)
    {
        foreach (var name in verdict.Settings)
        {
            if (connection.Settings?.IsDeclared(name) == true)
            {
                throw SessionStateException.Declared(name, verdict.StatementWith(SessionEffects.Settings));
            }
        }

        if (_session is not null || pool.Options.PoolMode == PoolMode.Session)
        {
            return;
        }

        var isInTransaction = _transaction is not null || CurrentAmbient is not null;
        if (SessionNeeds.ReasonOf(verdict.Effects, isInTransaction, out var culprit) is { } reason)
        {
            var statement = verdict.StatementWith(culprit);
            if (pool.Options.SessionState == SessionStatePolicy.Throw || pool.Options.PoolMode == PoolMode.Statement
                || CurrentAmbient is not null || (isInTransaction && reason == PinReason.TransactionText))
            {
                throw SessionStateException.Create(reason, statement);
            }

            pool.ReportPin(reason, statement);
            _pinReason = reason;
            _session = _transaction?.TryPin(reason);
        }
    }

    /// <summary>Notes what a text that is about to run may leave behind on its server connection.</summary>
    public void Expect(SqlVerdict verdict, ServerConnection server)
    {
        var settingsFollow = _session?.LastsUntilClose != true;
        server.Mark(SessionNeeds.TaintOf(verdict, settingsFollow));
        if (verdict.Effects.HasFlag(SessionEffects.Settings) && settingsFollow)
        {
            var settings = connection.RequireSettings();
            server.ExpectChanges(settings, verdict.ResetsAllSettings ? [.. verdict.Settings, .. server.Settings.Names, .. settings.FollowedNames] : verdict.Settings);
        }

        // What is declared must hold for the next statement too, even in the same transaction.
        if (verdict.ResetsAllSettings || (verdict.Effects & SessionNeeds.HiddenSettings) != 0)
        {
            server.Settings.Doubt(server.Settings.Names.Where(name => connection.Settings?.IsDeclared(name) == true));
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
            return ambient.Bind(operation);
        }

        if (MustPin)
        {
            Pin();
        }

        return _session?.Bind() ?? new Binding(pool, Acquire(operation));
    }

    public ValueTask<Binding> BindAsync(ILeaseHolder operation, CancellationToken cancellationToken)
    {
        if (_transaction is not null)
        {
            return _transaction.BindAsync(operation, cancellationToken);
        }

        if (CurrentAmbient is { } ambient)
        {
            return ambient.BindAsync(operation, cancellationToken);
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
        return acquiring.IsCompletedSuccessfully ? new ValueTask<Binding>(new Binding(pool, acquiring.Result)) : AwaitAsync(acquiring);

        async ValueTask<Binding> PinAndBindAsync()
        {
            await PinAsync(cancellationToken).ConfigureAwait(false);
            return _session!.Bind();
        }

        async ValueTask<Binding> AwaitAsync(ValueTask<Lease<ServerConnection>> lease) => new(pool, await lease.ConfigureAwait(false));
    }

    public void SetReader(LogicalDataReader? reader) => _reader = reader;

    public void SetDetached(IReaderLease lease) => _detached = lease;

    public LogicalTransaction BeginTransaction(LogicalConnection connection, IsolationLevel isolationLevel)
    {
        if (pool.Options.PoolMode == PoolMode.Statement)
        {
            throw new StatementModeException(pool.Name, "transactions");
        }

        using var claim = Claimed(Beginning);
        if (_transaction is not null || CurrentAmbient is not null)
        {
            throw new InvalidOperationException("A transaction is already in progress on this connection; PostgreSQL has no nested transactions. Use a savepoint (transaction.Save), or finish the first transaction.");
        }

        return _transaction = new LogicalTransaction(connection, this, isolationLevel);
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
            ? new TransactionLease(pool, _session.Enter(), _session)
            : new TransactionLease(pool, Acquire(transaction), session: null);
    }

    public async ValueTask<TransactionLease> LeaseForTransactionAsync(LogicalTransaction transaction, CancellationToken cancellationToken)
    {
        if (MustPin)
        {
            await PinAsync(cancellationToken).ConfigureAwait(false);
        }

        return _session is not null
            ? new TransactionLease(pool, _session.Enter(), _session)
            : new TransactionLease(pool, await AcquireAsync(transaction, cancellationToken).ConfigureAwait(false), session: null);
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

        if (pool.Options.PoolMode == PoolMode.Statement)
        {
            throw new StatementModeException(pool.Name, "transactions");
        }

        if (CurrentAmbient is not null || _transaction is not null)
        {
            throw new InvalidOperationException("This connection already takes part in another transaction. Finish that one before enlisting the connection.");
        }

        var enlistment = pool.Enlist(transaction, _session);
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
            pool.EnsureReachable();
        }
    }

    /// <inheritdoc cref="Open"/>
    public ValueTask OpenAsync(CancellationToken cancellationToken)
        => MustPin && CurrentAmbient is null ? PinAsync(cancellationToken) : pool.EnsureReachableAsync(cancellationToken);

    public async ValueTask<SessionLease> LeaseSessionAsync(string reason, CancellationToken cancellationToken)
    {
        if (pool.Options.PoolMode == PoolMode.Statement)
        {
            throw new StatementModeException(pool.Name, "sessions");
        }

        var operation = new NamedOperation(LeaseScope.Session, reason);
        using var claim = Claimed(operation);
        var wanted = ResolveSettings();
        pool.ReportPin(PinReason.SessionLease, reason);
        if (_transaction is not null || CurrentAmbient is not null || _session is not null || MustPin)
        {
            var binding = await BindAsync(operation, cancellationToken).ConfigureAwait(false);
            await binding.ApplySettingsAsync(wanted, mayShareTransaction: false, cancellationToken).ConfigureAwait(false);
            await binding.EndAsync().ConfigureAwait(false); // The transaction or session goes on holding the server connection.
            return new SessionLease(_transaction?.Lease ?? _ambient?.Lease ?? _session?.Lease ?? throw AmbientEnlistment.Completed(), reason, null, null);
        }

        var session = new PinnedSession(pool, PinReason.SessionLease, reason);
        session.Start(await pool.AcquireAsync(session, cancellationToken).ConfigureAwait(false));
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

    /// <summary>Closes the open reader. One that was given away is left to its owner, without the server connection.</summary>
    public void CloseReader()
    {
        _reader?.Close();
        Interlocked.Exchange(ref _detached, null)?.EndDetached();
    }

    /// <inheritdoc cref="CloseReader"/>
    public async Task CloseReaderAsync()
    {
        if (_reader is not null)
        {
            await _reader.CloseAsync().ConfigureAwait(false);
        }

        if (Interlocked.Exchange(ref _detached, null) is { } detached)
        {
            await detached.EndDetachedAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Ends everything that the connection holds, and then throws what closing the reader threw. A statement that another task is
    /// running goes on to its own end.
    /// </summary>
    public void Close()
    {
        try
        {
            CloseReader();
        }
        finally
        {
            _transaction?.Dispose();
            _ambient = null;
            Interlocked.Exchange(ref _session, null)?.End();
            connection.ForgetFollowedSettings();
        }
    }

    /// <inheritdoc cref="Close"/>
    public async ValueTask CloseAsync()
    {
        try
        {
            await CloseReaderAsync().ConfigureAwait(false);
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

            connection.ForgetFollowedSettings();
        }
    }

    private Lease<ServerConnection> Acquire(ILeaseHolder holder) => Remember(pool.Acquire(holder, CancellationToken.None, connection.LastServer));

    private ValueTask<Lease<ServerConnection>> AcquireAsync(ILeaseHolder holder, CancellationToken cancellationToken)
    {
        return pool.Shuffles ? RememberAsync() : pool.AcquireAsync(holder, cancellationToken);

        async ValueTask<Lease<ServerConnection>> RememberAsync()
            => Remember(await pool.AcquireAsync(holder, cancellationToken, connection.LastServer).ConfigureAwait(false));
    }

    private Lease<ServerConnection> Remember(Lease<ServerConnection> lease)
    {
        connection.LastServer = pool.Shuffles ? lease.Connection : null;
        return lease;
    }

    // Inside the scope of a transaction that has aborted, nothing may run on its own.
    private AmbientEnlistment? CurrentAmbient => _ambient is { IsCompleted: true, IsCurrent: false } ? _ambient = null : _ambient;

    // A statement needs a session; or session mode, just opened, or opened in an ambient transaction that has completed since.
    private bool MustPin => _session is null && (_pinReason is not null || pool.Options.PoolMode == PoolMode.Session);

    private void Pin()
    {
        var session = NewSession();
        _session = session.Start(pool.Acquire(session, CancellationToken.None));
    }

    private async ValueTask PinAsync(CancellationToken cancellationToken)
    {
        var session = NewSession();
        _session = session.Start(await pool.AcquireAsync(session, cancellationToken).ConfigureAwait(false));
    }

    private PinnedSession NewSession()
    {
        if (_pinReason is null)
        {
            pool.ReportPin(PinReason.SessionMode, statement: null);
        }

        return new PinnedSession(pool, _pinReason ?? PinReason.SessionMode);
    }

    private void Unpin(PinnedSession session)
    {
        if (ReferenceEquals(_session, session))
        {
            _session = null;
        }
    }
}
