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
    private static readonly NamedOperation Beginning = new(LeaseScope.Transaction, "BEGIN", OperationKind.BeginTransaction);

    private ILeaseHolder? _operation; // Interlocked only
    private OperationStart _start; // written by whoever has claimed it; read by others to describe it
    private ClaimQueue? _queue; // Interlocked once; null unless somebody has waited
    private ApartOperations? _apart; // Interlocked once; null unless an operation has run beside the claim

    // All used by whoever has claimed it.
    private LogicalDataReader? _reader; // read by others to see whether it is idle
    private IReaderLease? _detached; // whose reader was given away
    private LogicalTransaction? _transaction;
    private AmbientEnlistment? _ambient;
    private PinnedSession? _session;
    private volatile bool _isClosed; // written by Close
    private bool _wasLeasedAsSession; // what it holds, or has held
    private PinReason? _pinReason; // from the statement that needs a session until the session is there

    public TransactionPoolingDataSource Pool => pool;

    public ConcurrencyGuard Guard => pool.Guard;

    /// <summary>What is running now; <c>null</c> if nothing is.</summary>
    public OperationInfo? RunningOperation => Volatile.Read(ref _operation) is { } running ? _start.Describe(Guard, running.Activity) : null;

    /// <summary>Like <see cref="RunningOperation"/>, but an open reader from which nobody reads is none.</summary>
    public OperationInfo? BusyOperation => _reader is { IsReading: false } ? null : RunningOperation;

    /// <summary>What still runs goes on to its own end, but leaves nothing behind on the logical connection, which may be open again.</summary>
    public bool IsClosed => _isClosed;

    /// <returns>Whether the operation is the one in flight now; then <see cref="Unclaim"/> must follow.</returns>
    public bool TryClaim(ILeaseHolder operation, OperationKind kind, ICallSiteSource? source)
    {
        if (_queue is { IsEmpty: false } || !IsClaimedFor(operation))
        {
            return false;
        }

        _start.Begin(Guard, kind, source);
        return true;
    }

    /// <exception cref="ConcurrentUseException">Another operation is in flight.</exception>
    public ClaimScope Claimed(NamedOperation operation, ICallSiteSource? source = null)
        => TryClaim(operation, operation.Kind, source) ? new ClaimScope(this, operation) : throw Refuse(operation, operation.Kind, source);

    /// <inheritdoc cref="Claimed"/>
    public ValueTask<ClaimScope> ClaimedAsync(NamedOperation operation, ICallSiteSource? source, CancellationToken cancellationToken)
    {
        if (TryClaim(operation, operation.Kind, source))
        {
            return new ValueTask<ClaimScope>(new ClaimScope(this, operation));
        }

        return MayWait ? AwaitAsync() : throw Refuse(operation, operation.Kind, source);

        async ValueTask<ClaimScope> AwaitAsync()
        {
            await WaitForClaimAsync(operation, operation.Kind, source, cancellationToken).ConfigureAwait(false);
            return new ClaimScope(this, operation);
        }
    }

    /// <summary>Whether an asynchronous operation that finds the connection busy waits for its turn: mode Serialize, unless it would wait for itself.</summary>
    public bool MayWait
        => Guard.Mode == ConcurrentUseMode.Serialize
            && !(_reader is { IsReading: false } && (_start.LooksLikeThisFlow() || (Guard.NestedCommands == NestedCommandMode.OwnServerConnection && IsUnbound)));

    /// <summary>Waits in order of arrival until the operation is the one in flight.</summary>
    /// <exception cref="ConcurrentUseException">QueryWaitTimeout has passed.</exception>
    public async ValueTask WaitForClaimAsync(ILeaseHolder operation, OperationKind kind, ICallSiteSource? source, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var caller = ConcurrencyGuard.DescribeCaller(kind, source, operation.Activity); // Now, because a timer knows nothing of the caller.
        var refusal = new Lazy<ConcurrentUseException>(() => Refuse(caller, kind, source, $"It has waited for its turn for {Guard.QueueTimeout}."));
        var queue = _queue ?? Interlocked.CompareExchange(ref _queue, new ClaimQueue(), null) ?? _queue;
        var place = queue.Add(operation);
        queue.Grant(IsClaimedFor); // Whoever had the claim may have given it up before this was in the queue.
        using var limit = Guard.QueueTimeout == TimeSpan.Zero ? null : new CancellationTokenSource(Guard.QueueTimeout, Guard.Time);
        using var timeout = limit?.Token.UnsafeRegister(_ => queue.Refuse(place, refusal.Value), null);
        using var cancellation = cancellationToken.UnsafeRegister((_, token) => queue.Refuse(place, new OperationCanceledException(token)), null);
        await place.Turn.Task.ConfigureAwait(false);
        _start.Begin(Guard, kind, source);
    }

    /// <summary>What an operation that has found the connection busy runs in instead, on a server connection of its own.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="kind">What it does.</param>
    /// <param name="source">Who does it.</param>
    /// <param name="isNested">Whether an open reader keeps its server connection while this one waits.</param>
    /// <exception cref="ConcurrentUseException">The options do not allow it, or the connection is bound to one session.</exception>
    public ApartOperations StepAside(ILeaseHolder operation, OperationKind kind, ICallSiteSource? source, out bool isNested)
    {
        isNested = _reader is { IsReading: false };
        var isAllowed = isNested && Guard.NestedCommands == NestedCommandMode.OwnServerConnection;
        if (!IsUnbound || !(isAllowed || Guard.Mode is ConcurrentUseMode.Log or ConcurrentUseMode.Off))
        {
            throw Refuse(operation, kind, source);
        }

        if (!isAllowed)
        {
            Guard.Report(() => (RunningOperation ?? _start.Describe(Guard, null), ConcurrencyGuard.DescribeCaller(kind, source, operation.Activity)));
        }

        return _apart ?? Interlocked.CompareExchange(ref _apart, new ApartOperations(pool), null) ?? _apart;
    }

    /// <summary>The exception that names both operations.</summary>
    /// <param name="operation">The one that is refused.</param>
    /// <param name="kind">What it does.</param>
    /// <param name="source">Who does it.</param>
    /// <param name="why">A sentence, if the reason is not only that the other one is running.</param>
    public ConcurrentUseException Refuse(ILeaseHolder operation, OperationKind kind, ICallSiteSource? source, string? why = null)
        => Refuse(ConcurrencyGuard.DescribeCaller(kind, source, operation.Activity), kind, source, why);

    /// <summary>The exception for what has the claim here, because another connection in the same ambient transaction is running something.</summary>
    /// <param name="other">The other connection.</param>
    /// <param name="session">What it has leased the transaction's server connection for; <c>null</c> if it runs a statement.</param>
    public ConcurrentUseException RefuseShared(ConnectionBinder other, string? session = null)
    {
        other.SuspectRunning();
        SuspectRunning();
        return new ConcurrentUseException(
            ConcurrentUseKind.ConcurrentOperation,
            session is not null ? new OperationInfo(OperationKind.Session) { CommandText = session } : other.RunningOperation ?? other._start.Describe(Guard, activity: null),
            RunningOperation ?? _start.Describe(Guard, activity: null),
            "All connections in one ambient transaction share one server connection.");
    }

    private ConcurrentUseException Refuse(OperationInfo refused, OperationKind kind, ICallSiteSource? source, string? why)
    {
        var running = _start.Describe(Guard, Volatile.Read(ref _operation)?.Activity);
        Guard.Suspect(_start.Key);
        Guard.Suspect(source?.Text ?? kind.ToString());
        var met = _reader is { IsReading: false } && _start.LooksLikeThisFlow() ? ConcurrentUseKind.OpenReader : ConcurrentUseKind.ConcurrentOperation;
        return new ConcurrentUseException(met, running, refused, why);
    }

    /// <summary>Remembers that the running operation met another one, so that its call site is known the next time.</summary>
    /// <returns>Whether anything is running.</returns>
    public bool SuspectRunning()
    {
        var isRunning = Volatile.Read(ref _operation) is not null;
        Guard.Suspect(isRunning ? _start.Key : null);
        return isRunning;
    }

    public void Unclaim(ILeaseHolder operation)
    {
        if (!ReferenceEquals(Volatile.Read(ref _operation), operation))
        {
            return;
        }

        _start.Clear();
        _pinReason = null; // Whoever needed a session has one, or did not run.
        _apart?.OnClaimEnded();

        // Full fences here and in TryClaim: whoever disposes a transaction meanwhile either gets the claim or is seen here, and so
        // is whoever waits for the claim.
        if (Interlocked.CompareExchange(ref _operation, null, operation) == operation && _transaction is { IsAbandoned: true } abandoned)
        {
            abandoned.EndAbandoned();
        }

        if (_queue is { IsEmpty: false } queue)
        {
            queue.Grant(IsClaimedFor);
        }
    }

    /// <summary>The session settings that a statement wants at this moment.</summary>
    public SettingMap ResolveSettings() => connection.Settings?.Resolve(pool.SettingInterner) ?? SettingMap.Empty;

    /// <summary>Lets a text run that relies on its session, refuses it, or pins the connection, as its effects and the options say.</summary>
    /// <exception cref="SessionStateException">The connection has no session for it.</exception>
    /// <param name="verdict">On the text.</param>
    /// <param name="isApart">It runs beside the claim, so it can rely on no session, and not get one.</param>
    public void Admit(SqlVerdict verdict, bool isApart)
    {
        foreach (var name in verdict.Settings)
        {
            if (connection.Settings?.IsDeclared(name) == true)
            {
                throw SessionStateException.Declared(name, verdict.StatementWith(SessionEffects.Settings));
            }
        }

        var isInTransaction = !isApart && (_transaction is not null || CurrentAmbient is not null);
        if (!isApart && (_session is not null || pool.Options.PoolMode == PoolMode.Session)
            && !(isInTransaction && verdict.Effects.HasFlag(SessionEffects.TransactionControl)))
        {
            return;
        }

        if (SessionNeeds.ReasonOf(verdict.Effects, isInTransaction, out var culprit) is { } reason)
        {
            var statement = verdict.StatementWith(culprit);
            if (isApart || pool.Options.SessionState == SessionStatePolicy.Throw || pool.Options.PoolMode == PoolMode.Statement
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
        var effects = SessionNeeds.EffectsOf(verdict, pool.Catalog);
        if (effects == SessionEffects.None && !verdict.Has(StatementKind.Savepoint))
        {
            return;
        }

        var settingsFollow = _session?.LastsUntilClose != true;
        server.Mark(SessionNeeds.TaintOf(effects, verdict, settingsFollow));
        if (verdict.Effects.HasFlag(SessionEffects.Settings) && settingsFollow)
        {
            var settings = connection.RequireSettings();
            server.ExpectChanges(settings, this, verdict.ResetsAllSettings ? [.. verdict.Settings, .. server.Settings.Names, .. settings.FollowedNames] : verdict.Settings);
        }
        else if (verdict.Effects.HasFlag(SessionEffects.Settings) && connection.Settings is { } left)
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
        return acquiring.IsCompletedSuccessfully ? new ValueTask<Binding>(new Binding(pool, acquiring.Result)) : AwaitAsync(acquiring);

        async ValueTask<Binding> PinAndBindAsync()
        {
            await PinAsync(cancellationToken).ConfigureAwait(false);
            return _session!.Bind();
        }

        async ValueTask<Binding> AwaitAsync(ValueTask<Lease<ServerConnection>> lease) => new(pool, await lease.ConfigureAwait(false));
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
        => server.Settings.Doubt(server.Settings.Names.Where(name => connection.Settings?.IsDeclared(name) == true));

    public void SetReader(LogicalDataReader? reader) => _reader = reader;

    public void SetDetached(IReaderLease lease) => _detached = lease;

    public LogicalTransaction BeginTransaction(LogicalConnection connection, IsolationLevel isolationLevel, CallerInfo caller)
    {
        RefuseTransactionsInStatementMode();
        using var claim = Claimed(Beginning, connection);
        return Begin(connection, isolationLevel, caller);
    }

    /// <inheritdoc cref="BeginTransaction"/>
    public async ValueTask<LogicalTransaction> BeginTransactionAsync(
        LogicalConnection connection, IsolationLevel isolationLevel, CallerInfo caller, CancellationToken cancellationToken)
    {
        RefuseTransactionsInStatementMode();
        using var claim = await ClaimedAsync(Beginning, connection, cancellationToken).ConfigureAwait(false);
        return Begin(connection, isolationLevel, caller);
    }

    private void RefuseTransactionsInStatementMode()
    {
        if (pool.Options.PoolMode == PoolMode.Statement)
        {
            throw new StatementModeException(pool.Name, "transactions");
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

    public async ValueTask<SessionLease> LeaseSessionAsync(LogicalConnection connection, string reason, CancellationToken cancellationToken)
    {
        if (pool.Options.PoolMode == PoolMode.Statement)
        {
            throw new StatementModeException(pool.Name, "sessions");
        }

        var operation = new NamedOperation(LeaseScope.Session, reason, OperationKind.Session);
        using var claim = await ClaimedAsync(operation, connection, cancellationToken).ConfigureAwait(false);
        var wanted = ResolveSettings();
        pool.ReportPin(PinReason.SessionLease, reason);
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
        foreach (var reader in _apart?.OpenReaders() ?? [])
        {
            reader.Close();
        }

        Interlocked.Exchange(ref _detached, null)?.EndDetached();
    }

    /// <inheritdoc cref="CloseReader"/>
    public async Task CloseReaderAsync()
    {
        if (_reader is not null)
        {
            await _reader.CloseAsync().ConfigureAwait(false);
        }

        foreach (var reader in _apart?.OpenReaders() ?? [])
        {
            await reader.CloseAsync().ConfigureAwait(false);
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
        RefuseWaiting();
        try
        {
            CloseReader();
        }
        finally
        {
            _transaction?.Dispose();
            _ambient = null;
            Interlocked.Exchange(ref _session, null)?.End();
            _isClosed = true;
            connection.ForgetFollowedSettings();
        }
    }

    /// <inheritdoc cref="Close"/>
    public async ValueTask CloseAsync()
    {
        RefuseWaiting();
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

            _isClosed = true;
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

    // Nothing binds the connection to one session. Read by whoever has no claim, so it changes nothing.
    public bool IsUnbound
        => _transaction is null && _session is null && pool.Options.PoolMode != PoolMode.Session && (_ambient is null || _ambient is { IsCompleted: true, IsCurrent: false });

    private bool IsClaimedFor(ILeaseHolder operation) => Interlocked.CompareExchange(ref _operation, operation, null) is null;

    private void RefuseWaiting() => _queue?.RefuseAll(static () => new InvalidOperationException("The connection was closed while this operation waited for another one to end. Await every operation before closing the connection."));

    // A statement needs a session; or session mode, just opened, or opened in an ambient transaction that has completed since.
    private bool MustPin => _session is null && (_pinReason is not null || pool.Options.PoolMode == PoolMode.Session);

    private void Pin()
    {
        var session = NewSession();
        try
        {
            _session = session.Start(pool.Acquire(session, CancellationToken.None));
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
            _session = session.Start(await pool.AcquireAsync(session, cancellationToken).ConfigureAwait(false));
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
