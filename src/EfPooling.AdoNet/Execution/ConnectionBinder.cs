using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Transactions;
using EfPooling.Core;
using IsolationLevel = System.Data.IsolationLevel;

namespace EfPooling.AdoNet;

/// <summary>
/// Which server connection an open logical connection works on: that of its transaction, of its ambient transaction or of its session,
/// or one of the pool for each statement. Used by whoever has the claim, and by Close, which ends all of it.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Close ends what it holds.")]
internal sealed class ConnectionBinder : IOpening, IServerHolder
{
    private static readonly NamedOperation Losing = new(LeaseScope.Session, "the server connection broke", OperationKind.Session);
    private static readonly NamedOperation Beginning = new(LeaseScope.Transaction, "BEGIN", OperationKind.BeginTransaction);

    private readonly PoolContext _pool;
    private readonly IConnectionHost _connection;

    // All used by whoever has the claim.
    private ServerTransaction? _transaction;
    private AmbientEnlistment? _ambient;
    private long _waited; // by Open, until the first wait after it, which has the rest of the time-out
    private volatile bool _isClosed; // written by Close
    private volatile bool _isLost; // written by whoever has the claim

    public ConnectionBinder(PoolExecution execution, IConnectionHost connection)
    {
        Execution = execution;
        _pool = execution.Pool;
        _connection = connection;
        Claim = new OperationGate(this);
        Session = new ConnectionSession(this);
    }

    public PoolExecution Execution { get; }

    public PoolContext Pool => _pool;

    public IConnectionHost Connection => _connection;

    /// <summary>Who uses the connection now.</summary>
    public OperationGate Claim { get; }

    /// <summary>The session that it keeps, if it keeps one.</summary>
    public ConnectionSession Session { get; }

    public ConcurrencyGuard Guard => Execution.Guard;

    public ServerTransaction? Transaction => _transaction;

    /// <summary>The one that the connection has enlisted in, which may have completed.</summary>
    public AmbientEnlistment? Ambient => _ambient;

    /// <summary>The one in which statements run. Inside the scope of a transaction that has aborted, nothing may run on its own.</summary>
    public AmbientEnlistment? CurrentAmbient => _ambient is { IsCompleted: true, IsCurrent: false } ? _ambient = null : _ambient;

    /// <summary>Nothing binds the connection to one session. Read by whoever has no claim, so it changes nothing.</summary>
    public bool IsUnbound
        => _transaction is null && Session.Pinned is null && _pool.Options.PoolMode != PoolMode.Session && (_ambient is null || _ambient is { IsCompleted: true, IsCurrent: false });

    /// <summary>When what begins to wait now has begun to wait, by the pool's clock: the connection's opening is part of its first wait.</summary>
    public long Since => _pool.Now - _waited;

    /// <summary>The first wait after the opening has begun.</summary>
    public void OnWaiting() => _waited = 0;

    /// <summary>What still runs goes on to its own end, but leaves nothing behind on the logical connection, which may be open again.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>The claim was given up, with a full fence, so a transaction that somebody disposed meanwhile is seen here, and so is a close.</summary>
    public void OnClaimEnded()
    {
        if (_transaction is { IsAbandoned: true } abandoned)
        {
            abandoned.EndAbandoned();
        }

        if (_isClosed)
        {
            _transaction?.Dispose(); // Begun, or the session pinned, by what was still running when the connection was closed.
        }

        if (_isClosed || _isLost)
        {
            Session.Take()?.End(); // A lost transaction has ended its lease, and says why it is lost until it is rolled back or disposed.
        }
    }

    /// <summary>
    /// If the server connection to which this is bound, by a transaction or a session, broke under whoever has the claim, the logical connection is closed at once, and
    /// what it holds ends with the claim. One that its holder has closed is not broken.
    /// </summary>
    public void OnLost(ServerConnection server)
    {
        if (server.HasBroken)
        {
            _isLost = true;
            _connection.OnSessionLost(this);
        }
    }

    /// <summary>
    /// The server connection to which this is bound broke: by keepalive, or under somebody who uses it out of our sight. Whoever has the claim finds out for itself.
    /// Called from any thread.
    /// </summary>
    public void OnServerBroken()
    {
        if (!Claim.TryTake(Losing, OperationKind.Session, source: null))
        {
            return;
        }

        if ((_transaction?.Lease ?? CurrentAmbient?.Lease ?? Session.Pinned?.Lease)?.Connection is { } server)
        {
            _transaction?.NoteIfBroken();
            OnLost(server);
        }

        Claim.GiveUp(Losing);
    }

    /// <summary>Why the logical connection is not open any more, after <see cref="OnLost"/>.</summary>
    public InvalidOperationException DescribeLoss() => _transaction?.Broken() ?? (InvalidOperationException?)DescribeAmbientLoss() ?? new SessionLostException();

    private TransactionBrokenException? DescribeAmbientLoss() => _ambient is { IsCompleted: false } ambient ? new(ambient.BrokenBy) : null;

    /// <summary>The session settings that a statement wants at this moment.</summary>
    public SettingMap ResolveSettings() => _connection.Settings?.Resolve(_pool.SettingInterner) ?? SettingMap.Empty;

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

        // Another flow may end the session at any moment.
        var session = Session.MustPin ? Session.Pin() : Session.Pinned;
        return session?.TryBind() ?? new Binding(Acquire(operation));
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

        if (Session.MustPin)
        {
            return PinAndBindAsync(operation, cancellationToken);
        }

        if (Session.Pinned?.TryBind() is { } kept)
        {
            return new ValueTask<Binding>(kept);
        }

        var acquiring = AcquireAsync(operation, cancellationToken);
        return acquiring.IsCompletedSuccessfully ? new ValueTask<Binding>(new Binding(acquiring.Result)) : BindAsync(acquiring);
    }

    private async ValueTask<Binding> PinAndBindAsync(ILeaseHolder operation, CancellationToken cancellationToken)
    {
        var session = await Session.PinAsync(cancellationToken).ConfigureAwait(false);
        return session.TryBind() ?? new Binding(await AcquireAsync(operation, cancellationToken).ConfigureAwait(false));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<Binding> BindAsync(ValueTask<Lease<ServerConnection>> lease) => new(await lease.ConfigureAwait(false));

    public ServerTransaction BeginTransaction(IConnectionHost connection, IsolationLevel isolationLevel, CallerInfo caller)
    {
        RefuseTransactionsInStatementMode();
        using var claim = Claim.Take(Beginning, connection);
        return Begin(connection, isolationLevel, caller);
    }

    /// <inheritdoc cref="BeginTransaction"/>
    public async ValueTask<ServerTransaction> BeginTransactionAsync(
        IConnectionHost connection, IsolationLevel isolationLevel, CallerInfo caller, CancellationToken cancellationToken)
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

    private ServerTransaction Begin(IConnectionHost connection, IsolationLevel isolationLevel, CallerInfo caller)
    {
        if (_transaction is not null || CurrentAmbient is not null)
        {
            throw new InvalidOperationException("A transaction is already in progress on this connection; PostgreSQL has no nested transactions. Use a savepoint (transaction.Save), or finish the first transaction.");
        }

        return _transaction = new ServerTransaction(connection, this, isolationLevel, caller);
    }

    public void OnTransactionEnded(ServerTransaction transaction)
    {
        if (ReferenceEquals(_transaction, transaction))
        {
            _transaction = null;
        }
    }

    public TransactionLease LeaseForTransaction(ServerTransaction transaction)
    {
        var session = Session.MustPin ? Session.Pin() : Session.Pinned;
        return session?.TryEnter() == true
            ? new TransactionLease(_pool, session.Lease, session)
            : new TransactionLease(_pool, Acquire(transaction), session: null);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<TransactionLease> LeaseForTransactionAsync(ServerTransaction transaction, CancellationToken cancellationToken)
    {
        var session = Session.MustPin ? await Session.PinAsync(cancellationToken).ConfigureAwait(false) : Session.Pinned;
        return session?.TryEnter() == true
            ? new TransactionLease(_pool, session.Lease, session)
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

        var enlistment = Execution.Enlist(transaction, Session.Pinned);
        if (enlistment.IsCompleted)
        {
            throw AmbientEnlistment.Completed();
        }

        _ambient = enlistment;
    }

    /// <summary>Makes sure that the pool can serve this connection; in session mode takes the session, unless an ambient transaction gives one for now.</summary>
    public void Open()
    {
        if (Session.MustPin && CurrentAmbient is null)
        {
            Session.Pin();
        }
        else
        {
            var began = _pool.Now;
            _pool.EnsureReachable();
            _waited = _pool.Now - began;
        }
    }

    /// <inheritdoc cref="Open"/>
    public ValueTask OpenAsync(CancellationToken cancellationToken)
    {
        if (Session.MustPin && CurrentAmbient is null)
        {
            return PinAsync();
        }

        var began = _pool.Now;
        var reaching = _pool.EnsureReachableAsync(cancellationToken);
        return reaching.IsCompletedSuccessfully ? reaching : WaitAsync(reaching, began);

        async ValueTask WaitAsync(ValueTask reaching, long began)
        {
            await reaching.ConfigureAwait(false);
            _waited = _pool.Now - began;
        }

        async ValueTask PinAsync() => await Session.PinAsync(cancellationToken).ConfigureAwait(false);
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
            _transaction?.LoseConnection();
            _ambient = null;
            _isClosed = true; // Before a full fence: whoever begins a transaction, pins a session or gets a reader now sees it later.
            Session.Take()?.End();
            _transaction?.Dispose();
            _connection.ForgetFollowedSettings();
            Claim.CloseLateReader();
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
            if (_transaction is { } transaction) // Read once: whoever has the claim may end it at this moment.
            {
                await transaction.LoseConnectionAsync().ConfigureAwait(false);
            }

            _ambient = null;
            _isClosed = true; // Before a full fence: whoever begins a transaction, pins a session or gets a reader now sees it later.
            if (Session.Take() is { } session)
            {
                await session.EndAsync().ConfigureAwait(false);
            }

            if (_transaction is { } late)
            {
                await late.DisposeAsync().ConfigureAwait(false);
            }

            _connection.ForgetFollowedSettings();
            await Claim.CloseLateReaderAsync().ConfigureAwait(false);
        }
    }

    private Lease<ServerConnection> Acquire(ILeaseHolder holder) => Remember(_pool.Acquire(holder, CancellationToken.None, _connection.LastServer, TakeSince()));

    private ValueTask<Lease<ServerConnection>> AcquireAsync(ILeaseHolder holder, CancellationToken cancellationToken)
        => _pool.Shuffles ? AcquireAnotherAsync(holder, cancellationToken) : _pool.AcquireAsync(holder, cancellationToken, since: TakeSince());

    private async ValueTask<Lease<ServerConnection>> AcquireAnotherAsync(ILeaseHolder holder, CancellationToken cancellationToken)
        => Remember(await _pool.AcquireAsync(holder, cancellationToken, _connection.LastServer, TakeSince()).ConfigureAwait(false));

    private long TakeSince()
    {
        var since = Since;
        OnWaiting();
        return since;
    }

    private Lease<ServerConnection> Remember(Lease<ServerConnection> lease)
    {
        _connection.LastServer = _pool.Shuffles ? lease.Connection : null;
        return lease;
    }
}
