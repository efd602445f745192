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
/// What the application holds: a connection that takes a server connection from the pool only while a command or transaction runs.
/// </summary>
/// <remarks>
/// Does one thing at a time: a second operation while one is running, or while a reader is open, throws <see cref="ConcurrentUseException"/>.
/// Commands outside a transaction may run on different server connections, so what a session keeps (settings, temporary tables, locks)
/// does not last from one to the next; <see cref="LeaseSessionAsync"/> gives one session to what needs it.
/// </remarks>
public class LogicalConnection : DbConnection, ICloneable, IConnectionHost, ISettingsHost
{
    private static readonly StateChangeEventArgs Opened = new(ConnectionState.Closed, ConnectionState.Open);
    private static readonly StateChangeEventArgs Closed = new(ConnectionState.Open, ConnectionState.Closed);
    private static readonly NamedOperation ReadingSchema = new(LeaseScope.Command, "GetSchema", OperationKind.Schema);

    private readonly Func<string, TransactionPoolingDataSource> _selectPool;
    private TransactionPoolingDataSource? _pool; // changes only while closed
    private string? _given; // the connection string, as long as it is shown as it was given: until the first open
    private ConnectionScope? _scope; // present while open
    private ConnectionScope? _lost; // Interlocked: whose session broke while the connection was open, until that is closed or opened
    private ConnectionSettings? _settings; // Interlocked; absent as long as no setting is known, to keep connections small
    private ConnectionState _state; // Interlocked where an open may meet a close
    private CallerInfo _opener; // written once, before publication
    private DisposalNote _disposal; // written by the first dispose
    private DisposalNote _closing; // written by a close while an operation was running

    /// <param name="selectPool">Gives the pool for a connection string.</param>
    /// <param name="pool">The pool to begin with.</param>
    internal LogicalConnection(Func<string, TransactionPoolingDataSource> selectPool, TransactionPoolingDataSource? pool)
    {
        _selectPool = selectPool;
        _pool = pool;
    }

    /// <summary>The pool that serves this connection; <c>null</c> until <see cref="ConnectionString"/> has been set.</summary>
    public TransactionPoolingDataSource? Pool => _pool;

    /// <summary>Whether reads of this connection may share round trips with those of others.</summary>
    /// <value>Default <see cref="MultiplexingMode.Auto"/>: as the pool's option says. <see cref="MultiplexingMode.Off"/>: they may not.</value>
    public MultiplexingMode Multiplexing { get; set; }

    /// <summary>What happens to a statement of this connection that needs a session of its own: for session locks and libraries that take them, <see cref="SessionStatePolicy.Pin"/>.</summary>
    /// <value>Default <c>null</c>: as <see cref="TransactionPoolingOptions.SessionState"/> says.</value>
    public SessionStatePolicy? SessionState { get; set; }

    /// <summary>The context that made the connection, for which declared settings are asked; <c>null</c> if none did. Written once, before use.</summary>
    internal object? Owner { get; set; }

    /// <summary>Which use of <see cref="Owner"/> this is, if it is pooled and has one user after another. Written once, before use.</summary>
    internal Func<object, int>? OwnersUse { get; set; }

    /// <summary>The settings that <see cref="Owner"/> declares; they win over those of the pool.</summary>
    internal DeclaredSettings OwnersSettings { get; set; } = DeclaredSettings.None;

    /// <summary>What is created now only asks what there is, on behalf of nobody. Written by whoever uses the connection.</summary>
    internal bool IsProbing { get; set; }

    /// <summary>It broke before all answers to a statement were read from a reader that was given away, and what that wrote may be committed. Written by whoever uses the connection.</summary>
    internal bool HasLostAnswer { get; set; }

    /// <summary>Migrations have run on it whose types the pool does not know yet. Written by whoever uses the connection.</summary>
    internal bool HasMigrated { get; set; }

    /// <summary>The session settings that statements of this connection want; <c>null</c> if there are none.</summary>
    internal ConnectionSettings? Settings
        => _settings ?? (OwnersSettings.IsEmpty && _pool?.Options.DeclaredSettings.IsEmpty != false ? null : RequireSettings());

    /// <summary>
    /// Selects the pool. Can be set while the connection is closed. Until the connection is opened for the first time it is shown as it was given, with the password, as
    /// Npgsql does; later, and on connections of a data source, without it unless it says <c>Persist Security Info</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The connection is open.</exception>
    /// <exception cref="InvalidPoolOptionsException">The string asks for something that contradicts transaction pooling.</exception>
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

    /// <summary>That was begun on it and has not ended.</summary>
    internal ServerTransaction? CurrentTransaction => _scope?.Transaction;

    /// <inheritdoc/>
    protected override DbProviderFactory DbProviderFactory => TransactionPoolingFactory.Instance;

    /// <summary>
    /// Opens the connection. Takes no server connection, but makes sure that there is one: if the server cannot be reached or refuses,
    /// this throws what the server said. In session mode the connection takes its server connection here.
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

    // A handler of StateChange may have thrown when it was open already.
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

    /// <summary>Takes part in <paramref name="transaction"/>: its server connection is held until that completes.</summary>
    /// <param name="transaction"><c>null</c>: no longer take part in any.</param>
    public override void EnlistTransaction(Transaction? transaction) => OpenScope.Enlist(transaction);

    /// <summary>
    /// Gives every later statement and transaction of this connection a session setting: a tenant for row-level security, <c>role</c>,
    /// <c>search_path</c>, <c>statement_timeout</c>. It travels with the first statement, and stays when the connection is closed and opened again;
    /// on the connection of a pooled context until the context goes back to its pool.
    /// </summary>
    /// <param name="name">A setting of PostgreSQL, or one of your own with a prefix and a dot.</param>
    /// <param name="value"><c>null</c>: what is declared for the pool or context, or else the session's default.</param>
    /// <exception cref="ArgumentException">The name is not that of a setting, or the value cannot be stored.</exception>
    public void SetSessionSetting(string name, string? value)
    {
        var parsed = SettingName.Parse(name);
        RequireSettings().SetOwn(parsed, value is null ? null : SettingName.CheckValue(name, value));
    }

    /// <summary>
    /// Gives this connection one PostgreSQL session to itself until the result is disposed; inside a transaction, the transaction's.
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

    /// <summary>What is running on the connection now; <c>null</c> if nothing is.</summary>
    internal OperationInfo? RunningOperation => Volatile.Read(ref _scope)?.Gate.RunningOperation;

    /// <summary>Remembers that what is running met something, so that its call site is known the next time.</summary>
    /// <returns>Whether anything is running.</returns>
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

    /// <summary>Shows the string from which the connection was made until it is opened.</summary>
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
        scope.Pool.IdleWatch?.OnOpened(); // Whoever takes the scope out again says that it is closed.
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

    // The session to which the connection is bound broke: it is closed, as Npgsql's is, though what holds the session ends later.
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

    // Of several callers, one closes.
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
            // An open that is still under way gives back what it has taken.
            Interlocked.CompareExchange(ref _state, ConnectionState.Closed, ConnectionState.Connecting);
        }

        return scope ?? Interlocked.Exchange(ref _lost, null);
    }

    private LogicalTransaction Begun(ServerTransaction inner) => new(this, inner);

    private void ForgetFollowedSettings() => _settings?.OnClosed();

    /// <summary>The settings, made if need be.</summary>
    internal ConnectionSettings RequireSettings()
    {
        if (_settings is null)
        {
            var declared = (_pool?.Options.DeclaredSettings ?? DeclaredSettings.None).With(OwnersSettings);
            Interlocked.CompareExchange(ref _settings, new ConnectionSettings(this, declared), null);
        }

        return _settings;
    }

    // Settings of its own stay with the connection; those that are declared are the new pool's.
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
