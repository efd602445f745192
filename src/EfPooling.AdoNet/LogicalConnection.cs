using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Transactions;
using EfPooling.Core;
using Npgsql;
using IsolationLevel = System.Data.IsolationLevel;

namespace EfPooling.AdoNet;

/// <summary>
/// The connection that the application holds. It takes a server connection from the pool only while a command or transaction
/// runs.
/// </summary>
/// <remarks>
/// Runs one operation at a time: a second operation while one is running, or while a reader is open, throws
/// <see cref="ConcurrentUseException"/>. Commands outside a transaction may run on different server connections, so session state
/// (settings, temporary tables, locks) does not last from one to the next. <see cref="LeaseSessionAsync"/> gives one session to
/// code that needs it.
/// </remarks>
public class LogicalConnection : DbConnection, ICloneable, IConnectionHost, ISettingsHost
{
    private static readonly StateChangeEventArgs Opened = new(ConnectionState.Closed, ConnectionState.Open);
    private static readonly StateChangeEventArgs Closed = new(ConnectionState.Open, ConnectionState.Closed);
    private static readonly NamedOperation ReadingSchema = new(LeaseScope.Command, "GetSchema", OperationKind.Schema);

    private readonly Func<string, TransactionPoolingDataSource> _selectPool;
    private TransactionPoolingDataSource? _pool; // changes only while closed
    private string? _given; // the connection string while it is shown as it was given: until the first open
    private ConnectionScope? _scope; // present while open
    private ConnectionScope? _lost; // Interlocked: the scope whose session broke while the connection was open, until that is closed or opened
    private ConnectionSettings? _settings; // Interlocked; absent as long as no setting is known, to keep connections small
    private ConnectionState _state; // Interlocked where an open may meet a close
    private CallerInfo _opener; // written once, before publication
    private DisposalNote _disposal; // written by the first dispose
    private DisposalNote _closing; // written by a close while an operation was running

    /// <param name="selectPool">Returns the pool for a connection string.</param>
    /// <param name="pool">The pool to begin with.</param>
    internal LogicalConnection(Func<string, TransactionPoolingDataSource> selectPool, TransactionPoolingDataSource? pool)
    {
        _selectPool = selectPool;
        _pool = pool;
    }

    /// <summary>The pool that serves this connection; <c>null</c> until <see cref="ConnectionString"/> has been set.</summary>
    public TransactionPoolingDataSource? Pool => _pool;

    /// <summary>Whether reads of this connection may share round trips with those of other connections.</summary>
    /// <value>
    /// Default <see cref="MultiplexingMode.Auto"/>: as the pool's option says. <see cref="MultiplexingMode.Off"/>: they may not.
    /// </value>
    public MultiplexingMode Multiplexing { get; set; }

    /// <summary>
    /// What happens to a statement of this connection that needs a session of its own. For session locks and libraries that take
    /// them: <see cref="SessionStatePolicy.Pin"/>.
    /// </summary>
    /// <value>Default <c>null</c>: as <see cref="TransactionPoolingOptions.SessionState"/> says.</value>
    public SessionStatePolicy? SessionState { get; set; }

    /// <summary>
    /// The context that created the connection and gives the values of declared settings; <c>null</c> if there is none. Written
    /// once, before use.
    /// </summary>
    internal object? Owner { get; set; }

    /// <summary>
    /// Identifies the current use of <see cref="Owner"/>, if it is pooled and has one user after another. Written once, before
    /// use.
    /// </summary>
    internal Func<object, int>? OwnersUse { get; set; }

    /// <summary>The settings that <see cref="Owner"/> declares; they override those of the pool.</summary>
    internal DeclaredSettings OwnersSettings { get; set; } = DeclaredSettings.None;

    /// <summary>
    /// Whether commands created now only ask what exists, on behalf of no tenant. Written by the user of the connection.
    /// </summary>
    internal bool IsProbing { get; set; }

    /// <summary>
    /// Whether the connection broke before all answers to a statement were read from a detached reader, so that the statement's
    /// writes may be committed. Written by the user of the connection.
    /// </summary>
    internal bool HasLostAnswer { get; set; }

    /// <summary>
    /// Whether migrations have run on it whose types the pool has not learned yet. Written by the user of the connection.
    /// </summary>
    internal bool HasMigrated { get; set; }

    /// <summary>The session settings that statements of this connection require; <c>null</c> if there are none.</summary>
    internal ConnectionSettings? Settings
        => _settings ?? (OwnersSettings.IsEmpty && _pool?.Options.DeclaredSettings.IsEmpty != false ? null : RequireSettings());

    /// <summary>
    /// Selects the pool. Can be set while the connection is closed. Before the first open, it returns the string as it was given,
    /// with the password, as Npgsql does. Later, and on connections of a data source, it returns the string without the password
    /// unless that contains <c>Persist Security Info</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The connection is open.</exception>
    /// <exception cref="InvalidPoolOptionsException">A keyword contradicts transaction pooling.</exception>
    [AllowNull]
    public override string ConnectionString
    {
        get => _given ?? _pool?.ConnectionString ?? "";
        set
        {
            ThrowIfDisposed();
            if (_state != ConnectionState.Closed)
            {
                throw new InvalidOperationException("The connection string can be changed only while the connection is closed.");
            }

            if (string.IsNullOrEmpty(value))
            {
                ChangePool(null);
                _given = null;
            }
            else if (value != ConnectionString)
            {
                if (value != _pool?.ConnectionString)
                {
                    ChangePool(_selectPool(value));
                }

                _given = value;
            }
        }
    }

    /// <inheritdoc/>
    public override int ConnectionTimeout => (int)Math.Ceiling((_pool?.Options ?? new TransactionPoolingOptions()).QueryWaitTimeout.TotalSeconds);

    /// <inheritdoc/>
    public override string Database => _pool?.Database ?? "";

    /// <inheritdoc/>
    public override string DataSource => _pool?.Server ?? "";

    /// <inheritdoc/>
    public override string ServerVersion
    {
        get
        {
            _ = OpenScope;
            return _pool!.ServerVersion ?? throw new InvalidOperationException("The server's version is not known before the first connection to it.");
        }
    }

    /// <inheritdoc/>
    public override ConnectionState State => _state;

    /// <inheritdoc/>
    public override bool CanCreateBatch => true;

    /// <summary>The transaction that was begun on it and has not ended.</summary>
    internal ServerTransaction? CurrentTransaction => _scope?.Transaction;

    /// <inheritdoc/>
    protected override DbProviderFactory DbProviderFactory => TransactionPoolingFactory.Instance;

    /// <summary>
    /// Opens the connection. Takes no server connection, but ensures that there is one: if the server cannot be reached or
    /// refuses, this throws the server's error. In session mode the connection takes its server connection here.
    /// </summary>
    public override void Open()
    {
        var scope = BeginOpen();
        try
        {
            scope.Open();
            EndOpen(scope);
        }
        catch
        {
            OnOpenFailed(scope);
            scope.Close();
            throw;
        }
    }

    /// <inheritdoc cref="Open"/>
    public override async Task OpenAsync(CancellationToken cancellationToken)
    {
        var scope = BeginOpen();
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            await scope.OpenAsync(cancellationToken).ConfigureAwait(false);
            EndOpen(scope);
        }
        catch
        {
            OnOpenFailed(scope);
            await scope.CloseAsync().ConfigureAwait(false);
            throw;
        }
    }

    // A handler of StateChange may have thrown when the connection was already open.
    private void OnOpenFailed(ConnectionScope scope)
    {
        _state = ConnectionState.Closed;
        if (Interlocked.CompareExchange(ref _scope, null, scope) == scope)
        {
            scope.Pool.IdleWatch?.OnClosed();
        }
    }

    /// <summary>Closes an open reader, rolls back a transaction in progress and closes the connection.</summary>
    public override void Close()
    {
        if (EndUse(out var wasOpen) is { } scope)
        {
            try
            {
                scope.Close();
            }
            finally
            {
                ReportClosed(wasOpen);
            }
        }
    }

    /// <inheritdoc cref="Close"/>
    public override async Task CloseAsync()
    {
        if (EndUse(out var wasOpen) is { } scope)
        {
            try
            {
                await scope.CloseAsync().ConfigureAwait(false);
            }
            finally
            {
                ReportClosed(wasOpen);
            }
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        _disposal.Set(_pool?.Guard, _scope?.Gate.BusyOperation);
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
        GC.SuppressFinalize(this);
    }

    /// <summary>Moves the connection to another database of the same server, which has a pool of its own.</summary>
    public override void ChangeDatabase(string databaseName)
    {
        _ = OpenScope;
        var other = OtherDatabase(databaseName);
        Close();
        ChangePool(other);
        Open();
    }

    /// <inheritdoc cref="ChangeDatabase"/>
    public override async Task ChangeDatabaseAsync(string databaseName, CancellationToken cancellationToken = default)
    {
        _ = OpenScope;
        var other = OtherDatabase(databaseName);
        await CloseAsync().ConfigureAwait(false);
        ChangePool(other);
        await OpenAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Begins a transaction. Nothing is sent; the first command takes a server connection.</summary>
    /// <param name="isolationLevel">Default: read committed.</param>
    /// <param name="member">Filled in by the compiler, to name the call site in diagnostics.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    /// <exception cref="StatementModeException">The pool runs in statement mode.</exception>
    public LogicalTransaction BeginTransaction(
        IsolationLevel isolationLevel,
        [CallerMemberName] string? member = null,
        [CallerFilePath] string? file = null,
        [CallerLineNumber] int line = 0)
        => Begun(OpenScope.BeginTransaction(isolationLevel, new CallerInfo(member, file, line)));

    /// <inheritdoc cref="BeginTransaction(IsolationLevel, string?, string?, int)"/>
    /// <param name="member">Filled in by the compiler, to name the call site in diagnostics.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public LogicalTransaction BeginTransaction(
        [CallerMemberName] string? member = null,
        [CallerFilePath] string? file = null,
        [CallerLineNumber] int line = 0)
        => BeginTransaction(IsolationLevel.Unspecified, member, file, line);

    /// <inheritdoc cref="BeginTransaction(IsolationLevel, string?, string?, int)"/>
    /// <param name="isolationLevel">Default: read committed.</param>
    /// <param name="cancellationToken">Cancels the wait for another operation, in mode Serialize.</param>
    /// <param name="member">Filled in by the compiler, to name the call site in diagnostics.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public ValueTask<LogicalTransaction> BeginTransactionAsync(
        IsolationLevel isolationLevel,
        CancellationToken cancellationToken = default,
        [CallerMemberName] string? member = null,
        [CallerFilePath] string? file = null,
        [CallerLineNumber] int line = 0)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var beginning = OpenScope.BeginTransactionAsync(isolationLevel, new CallerInfo(member, file, line), cancellationToken);
        return beginning.IsCompletedSuccessfully ? new ValueTask<LogicalTransaction>(Begun(beginning.Result)) : AwaitAsync(beginning);

        async ValueTask<LogicalTransaction> AwaitAsync(ValueTask<ServerTransaction> beginning) => Begun(await beginning.ConfigureAwait(false));
    }

    /// <inheritdoc cref="BeginTransaction(IsolationLevel, string?, string?, int)"/>
    /// <param name="cancellationToken">Cancels the wait for another operation, in mode Serialize.</param>
    /// <param name="member">Filled in by the compiler, to name the call site in diagnostics.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public ValueTask<LogicalTransaction> BeginTransactionAsync(
        CancellationToken cancellationToken = default,
        [CallerMemberName] string? member = null,
        [CallerFilePath] string? file = null,
        [CallerLineNumber] int line = 0)
        => BeginTransactionAsync(IsolationLevel.Unspecified, cancellationToken, member, file, line);

    /// <summary>
    /// Enlists in <paramref name="transaction"/>: its server connection is held until the transaction completes.
    /// </summary>
    /// <param name="transaction"><c>null</c>: ends the enlistment.</param>
    public override void EnlistTransaction(Transaction? transaction) => OpenScope.Enlist(transaction);

    /// <summary>
    /// Gives every later statement and transaction of this connection a session setting: a tenant for row-level security,
    /// <c>role</c>, <c>search_path</c>, <c>statement_timeout</c>. It travels with the first statement, and stays when the
    /// connection is closed and opened again. On the connection of a pooled context it stays until the context returns to its
    /// pool.
    /// </summary>
    /// <param name="name">A setting of PostgreSQL, or one of your own with a prefix and a dot.</param>
    /// <param name="value"><c>null</c>: the value declared for the pool or context, otherwise the session's default.</param>
    /// <exception cref="ArgumentException">The name is not the name of a setting, or the value cannot be stored.</exception>
    public void SetSessionSetting(string name, string? value)
    {
        var parsed = SettingName.Parse(name);
        RequireSettings().SetOwn(parsed, value is null ? null : SettingName.CheckValue(name, value));
    }

    /// <summary>
    /// Gives this connection one PostgreSQL session to itself until the result is disposed. Inside a transaction, this is the
    /// transaction's session.
    /// </summary>
    /// <param name="reason">Why; named in the log and in diagnostics.</param>
    /// <param name="cancellationToken">Cancels the wait for a server connection.</param>
    /// <exception cref="StatementModeException">The pool runs in statement mode.</exception>
    public ValueTask<SessionLease> LeaseSessionAsync(string reason, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        return LeaseAsync(OpenScope, reason, cancellationToken);

        static async ValueTask<SessionLease> LeaseAsync(ConnectionScope scope, string reason, CancellationToken cancellationToken)
        {
            var (lease, end, endAsync) = await scope.LeaseSessionAsync(reason, cancellationToken).ConfigureAwait(false);
            return new SessionLease(lease, reason, end, endAsync);
        }
    }

    /// <inheritdoc/>
    public override DataTable GetSchema() => WithServer(static (server, _) => server.GetSchema(), 0);

    /// <inheritdoc/>
    public override DataTable GetSchema(string collectionName) => WithServer(static (server, name) => server.GetSchema(name), collectionName);

    /// <inheritdoc/>
    public override DataTable GetSchema(string collectionName, string?[] restrictionValues)
        => WithServer(static (server, arguments) => server.GetSchema(arguments.collectionName, arguments.restrictionValues), (collectionName, restrictionValues));

    /// <inheritdoc/>
    public override Task<DataTable> GetSchemaAsync(CancellationToken cancellationToken = default)
        => WithServerAsync(static (server, _, token) => server.GetSchemaAsync(token), 0, cancellationToken);

    /// <inheritdoc/>
    public override Task<DataTable> GetSchemaAsync(string collectionName, CancellationToken cancellationToken = default)
        => WithServerAsync(static (server, name, token) => server.GetSchemaAsync(name, token), collectionName, cancellationToken);

    /// <inheritdoc/>
    public override Task<DataTable> GetSchemaAsync(string collectionName, string?[] restrictionValues, CancellationToken cancellationToken = default)
        => WithServerAsync(
            static (server, arguments, token) => server.GetSchemaAsync(arguments.collectionName, arguments.restrictionValues, token),
            (collectionName, restrictionValues),
            cancellationToken);

    /// <summary>A closed connection to the same pool, with the same settings (<see cref="SetSessionSetting"/>).</summary>
    public object Clone()
    {
        var clone = NamedForDapper.Create(_selectPool, _pool);
        (clone.Owner, clone.OwnersUse, clone.OwnersSettings) = (Owner, OwnersUse, OwnersSettings);
        clone._given = _given;
        (clone.SessionState, clone.Multiplexing) = (SessionState, Multiplexing);
        clone._settings = _settings?.For(clone);
        return clone;
    }

    /// <summary>Creates a command on this connection.</summary>
    /// <param name="member">Filled in by the compiler, to name the call site in diagnostics.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public LogicalCommand CreateCommand(
        [CallerMemberName] string? member = null,
        [CallerFilePath] string? file = null,
        [CallerLineNumber] int line = 0)
        => new LogicalCommand(CurrentTransaction?.TakeCommand() ?? new NpgsqlCommand()) { Connection = this }.CreatedBy(new CallerInfo(member, file, line));

    /// <summary>Creates a batch on this connection.</summary>
    /// <param name="member">Filled in by the compiler, to name the call site in diagnostics.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public LogicalBatch CreateBatch(
        [CallerMemberName] string? member = null,
        [CallerFilePath] string? file = null,
        [CallerLineNumber] int line = 0)
        => new LogicalBatch { Connection = this }.CreatedBy(new CallerInfo(member, file, line));

    internal ConnectionScope OpenScope => (_state == ConnectionState.Open ? _scope : null) ?? throw NotOpen();

    /// <summary>The operation that is running on the connection now; <c>null</c> if there is none.</summary>
    internal OperationInfo? RunningOperation => Volatile.Read(ref _scope)?.Gate.RunningOperation;

    /// <summary>Records that the running operation met another one, so that its call site is captured the next time.</summary>
    /// <returns>Whether an operation is running.</returns>
    internal bool SuspectRunning() => Volatile.Read(ref _scope)?.Gate.SuspectRunning() == true;

    internal string? Origin => _opener.Describe("the connection was made");

    string? ICallSiteSource.Text => null;

    string? ICallSiteSource.Origin => Origin;

    int ISettingsHost.Use => Owner is { } owner && OwnersUse is { } use ? use(owner) : 0;

    object? IConnectionHost.Owner => Owner;

    ConnectionSettings? IConnectionHost.Settings => Settings;

    ServerConnection? IConnectionHost.LastServer { get; set; }

    ConnectionScope IConnectionHost.OpenScope => OpenScope;

    ConcurrencyGuard? IConnectionHost.Guard => _pool?.Guard;

    ConnectionSettings IConnectionHost.RequireSettings() => RequireSettings();

    void IConnectionHost.ForgetFollowedSettings() => ForgetFollowedSettings();

    void IConnectionHost.OnAnswerLost() => HasLostAnswer = true;

    /// <summary>Makes the connection show its original connection string until it is opened.</summary>
    internal LogicalConnection ShowingGiven(string? connectionString)
    {
        _given = connectionString;
        return this;
    }

    internal LogicalConnection OpenedBy(CallerInfo opener)
    {
        _opener = opener;
        return this;
    }

    /// <inheritdoc/>
    protected override DbCommand CreateDbCommand() => CreateCommand(null, null);

    /// <inheritdoc/>
    protected override DbBatch CreateDbBatch() => CreateBatch(null, null);

    /// <inheritdoc/>
    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => BeginTransaction(isolationLevel, null, null);

    /// <inheritdoc/>
    protected override async ValueTask<DbTransaction> BeginDbTransactionAsync(IsolationLevel isolationLevel, CancellationToken cancellationToken)
        => await BeginTransactionAsync(isolationLevel, cancellationToken, null, null).ConfigureAwait(false);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _disposal.Set(_pool?.Guard, _scope?.Gate.BusyOperation);
            Close();
        }

        base.Dispose(disposing);
    }

    private InvalidOperationException NotOpen()
    {
        ThrowIfDisposed();
        if (Volatile.Read(ref _lost) is { } lost)
        {
            return lost.DescribeLoss();
        }

        return new InvalidOperationException(_closing.IsSet
            ? $"The connection is not open. It was closed {_closing.Describe(_pool?.Guard)}. Await every operation before closing the connection."
            : "The connection is not open. Call Open or OpenAsync first.");
    }

    private void ThrowIfDisposed()
    {
        if (_disposal.IsSet)
        {
            throw _disposal.Refuse(nameof(LogicalConnection), _pool?.Guard, "Keep a connection or context for as long as you use it, or make another one.");
        }
    }

    private ConnectionScope BeginOpen()
    {
        ThrowIfDisposed();
        if (_state != ConnectionState.Closed)
        {
            throw new InvalidOperationException("The connection is already open.");
        }

        var pool = _pool ?? throw new InvalidOperationException("The connection string has not been set, so there is nothing to connect to. Set ConnectionString, or get the connection from a TransactionPoolingDataSource; for a context, pass a connection string to UseNpgsql, or register a pool with services.AddTransactionPooling(connectionString).");
        var scope = new ConnectionScope(pool.Execution, this);
        if (pool.EnlistsAmbientTransactions && Transaction.Current is { } ambient)
        {
            scope.Enlist(ambient);
        }

        Interlocked.Exchange(ref _lost, null)?.Close();
        _closing.Clear();
        _given = null;
        _state = ConnectionState.Connecting;
        return scope;
    }

    private void EndOpen(ConnectionScope scope)
    {
        scope.Pool.IdleWatch?.OnOpened(); // The flow that removes the scope again reports its close.
        _scope = scope;
        if (Interlocked.CompareExchange(ref _state, ConnectionState.Open, ConnectionState.Connecting) != ConnectionState.Connecting)
        {
            if (Interlocked.Exchange(ref _scope, null) is not null)
            {
                scope.Pool.IdleWatch?.OnClosed();
            }

            throw new InvalidOperationException("The connection was closed while it was being opened. Await Open before closing or disposing the connection.");
        }

        OnStateChange(Opened);
    }

    // The session of the connection broke. The connection is closed, as Npgsql's is, but the holder of the session ends later.
    void IConnectionHost.OnSessionLost(ConnectionScope scope)
    {
        if (!ReferenceEquals(Interlocked.CompareExchange(ref _scope, null, scope), scope))
        {
            return;
        }

        scope.Pool.IdleWatch?.OnClosed();
        Volatile.Write(ref _lost, scope);
        _state = ConnectionState.Closed;
        ForgetFollowedSettings();
        OnStateChange(Closed);
    }

    private void ReportClosed(bool wasOpen)
    {
        if (wasOpen)
        {
            OnStateChange(Closed);
        }
    }

    // Of several callers, only one closes.
    private ConnectionScope? EndUse(out bool wasOpen)
    {
        var scope = Interlocked.Exchange(ref _scope, null);
        wasOpen = scope is not null;
        if (scope is not null)
        {
            scope.Pool.IdleWatch?.OnClosed();
            if (scope.Gate.BusyOperation is { } running)
            {
                _closing.Set(scope.Guard, running);
            }

            _state = ConnectionState.Closed;
        }
        else
        {
            // An open under way releases what it has taken.
            Interlocked.CompareExchange(ref _state, ConnectionState.Closed, ConnectionState.Connecting);
        }

        return scope ?? Interlocked.Exchange(ref _lost, null);
    }

    private LogicalTransaction Begun(ServerTransaction inner) => new(this, inner);

    private void ForgetFollowedSettings() => _settings?.OnClosed();

    /// <summary>The settings, created if they do not exist.</summary>
    internal ConnectionSettings RequireSettings()
    {
        if (_settings is null)
        {
            var declared = (_pool?.Options.DeclaredSettings ?? DeclaredSettings.None).With(OwnersSettings);
            Interlocked.CompareExchange(ref _settings, new ConnectionSettings(this, declared), null);
        }

        return _settings;
    }

    // The connection's own settings stay with it. The declared settings become those of the new pool.
    private void ChangePool(TransactionPoolingDataSource? pool)
    {
        _pool = pool;
        _settings = _settings?.DeclaredBy((pool?.Options.DeclaredSettings ?? DeclaredSettings.None).With(OwnersSettings));
    }

    private TransactionPoolingDataSource OtherDatabase(string databaseName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(databaseName);
        return _pool!.GetDatabase(databaseName);
    }

    private TResult WithServer<TState, TResult>(Func<NpgsqlConnection, TState, TResult> use, TState state)
    {
        var scope = OpenScope;
        using var entry = scope.Gate.Enter(ReadingSchema, this);
        var wanted = scope.ResolveSettings();
        var binding = scope.Bind(ReadingSchema);
        try
        {
            scope.OnAttaching(binding.Server);
            binding.ApplySettings(wanted, verdict: null, mayShareTransaction: false);
            return use(binding.Server.Npgsql, state);
        }
        catch (Exception e)
        {
            binding.Observe(e);
            throw;
        }
        finally
        {
            binding.End();
        }
    }

    private async Task<TResult> WithServerAsync<TState, TResult>(
        Func<NpgsqlConnection, TState, CancellationToken, Task<TResult>> use, TState state, CancellationToken cancellationToken)
    {
        var scope = OpenScope;
        using var entry = await scope.Gate.EnterAsync(ReadingSchema, this, cancellationToken).ConfigureAwait(false);
        var wanted = scope.ResolveSettings();
        var binding = await scope.BindAsync(ReadingSchema, cancellationToken).ConfigureAwait(false);
        try
        {
            scope.OnAttaching(binding.Server);
            await binding.ApplySettingsAsync(wanted, verdict: null, mayShareTransaction: false, cancellationToken).ConfigureAwait(false);
            return await use(binding.Server.Npgsql, state, cancellationToken).ConfigureAwait(false);
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
    }
}
