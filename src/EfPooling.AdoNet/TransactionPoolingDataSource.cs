using System.Data.Common;
using System.Runtime.CompilerServices;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// A pool of PostgreSQL connections. Its logical connections hold a server connection only while a command or transaction runs.
/// Thread-safe. Create one per database and keep it for the life of the application.
/// </summary>
public sealed partial class TransactionPoolingDataSource : DbDataSource, IKeptPool
{
    private const int CatalogTimeoutSeconds = 10; // The server stops sooner.

    private readonly PoolFamily _family;
    private readonly Func<string, TransactionPoolingDataSource> _selectPool;
    private readonly NpgsqlDataSource _npgsql;
    private readonly bool _ownsNpgsql;
    private readonly string _normalised;
    private readonly Lazy<NpgsqlDataSource> _unpooled;
    private readonly ServerConnector _connector;
    private readonly ServerConnectionPool<ServerConnection> _pool;
    private readonly NotificationListener _notifications;
    private readonly PoolLifeline _lifeline;
    private IPoolEntry? _entry; // written once, before any other flow has the pool
    private volatile bool _isClosed; // closing or closed

    internal TransactionPoolingDataSource(PoolFamily family, NpgsqlConnectionStringBuilder keywords)
    {
        var configuration = family.Configuration;
        _family = family;
        _selectPool = family.Get;
        _ownsNpgsql = configuration.ExistingDataSource is null;
        ConnectionStringKeywords.RefuseContradictions(keywords, mayBeUnpooled: !_ownsNpgsql);
        var options = configuration.GetOptions(keywords);
        options.Name = string.IsNullOrWhiteSpace(options.Name) ? DefaultName(keywords) : options.Name;
        options.ThrowIfInvalid();
        Options = options with { };
        Name = options.Name;
        Logger = configuration.LoggerFactory.CreateLogger("EfPooling.Pool");
        ConnectionStringWithPassword = keywords.ConnectionString;
        _normalised = PoolFamily.Normalise(keywords);
        ConnectionString = ConnectionStringKeywords.WithoutPassword(keywords);
        EnlistsAmbientTransactions = keywords.Enlist;

        _npgsql = configuration.ExistingDataSource ?? BuildNpgsql(configuration, ConnectionStringKeywords.ForServerConnections(keywords, options));
        _unpooled = new Lazy<NpgsqlDataSource>(
            () => _ownsNpgsql ? BuildNpgsql(configuration, ConnectionStringKeywords.ForUnpooledConnections(keywords)) : _npgsql);
        using (var description = _npgsql.CreateConnection())
        {
            Database = description.Database;
            Server = description.DataSource;
        }

        var time = configuration.Time ?? TimeProvider.System;
        var catalogs = new CatalogKeeper(
            new CatalogSource(CatalogTimeoutSeconds), new TrustedObjects(options.TrustedFunctions, options.TrustedSchemas), options.SchemaCheckInterval, time, Logger);
        var recovery = new ServerRecovery(
            ServerRecovery.LetsPrepend(_npgsql), options.ResetPolicy, options.Shuffles, catalogs, Name, options.VerifySessions || options.Shuffles, HostRules.For(_npgsql, time), SessionInitializer.For(_npgsql, Logger));
        _connector = new ServerConnector(_npgsql, sourceIsPooled: !_ownsNpgsql && keywords.Pooling, recovery, time, Logger);
        _pool = new ServerConnectionPool<ServerConnection>(options.Shuffles ? ForShuffling(options) : options, _connector, configuration.Time, Logger);
        Context = new PoolContext(Options, _pool, catalogs, time, Logger) { Owner = this, Name = Name, Database = Database, Server = Server, CommandTimeout = keywords.CommandTimeout };
        var multiplexer = options.Multiplexing == MultiplexingMode.Auto && !options.KeepsSession && !recovery.VerifySessions ? new ReadMultiplexer(Context) : null;
        Execution = new PoolExecution(Context, new ConcurrencyGuard(Options, configuration.Time), multiplexer);
        _notifications = new NotificationListener(_connector, Options, Name, time, Logger) { Owner = this };
        _lifeline = new PoolLifeline(this, configuration.ExistingDataSource, time); // Last: an incomplete object has nothing to close.
    }

    /// <summary>Name of the pool in logs, exceptions and snapshots.</summary>
    public string Name { get; }

    /// <summary>The connection string, without the password unless it says <c>Persist Security Info</c>.</summary>
    public override string ConnectionString { get; }

    /// <summary>The database of the connections.</summary>
    public string Database { get; }

    TransactionPoolingOptions IKeptPool.Options => Options;

    ILogger IKeptPool.Logger => Logger;

    bool IKeptPool.IsClosed => IsClosed;

    PoolIdleWatch? IKeptPool.IdleWatch => Context.IdleWatch;

    internal TransactionPoolingOptions Options { get; }

    internal ILogger Logger { get; }

    /// <summary>The view of this pool for the floors below.</summary>
    internal PoolContext Context { get; }

    /// <summary>The state that the statements of its connections share.</summary>
    internal PoolExecution Execution { get; }

    internal SettingInterner SettingInterner => Context.SettingInterner;

    internal ConcurrencyGuard Guard => Execution.Guard;

    internal string Server { get; }

    internal int CommandTimeout => Context.CommandTimeout;

    internal bool EnlistsAmbientTransactions { get; }

    /// <summary>Plain Npgsql connections beside the pool, for creating, dropping and migrating databases.</summary>
    internal NpgsqlDataSource Unpooled => _unpooled.Value;

    /// <summary>Whether the pool serves this connection string, in <see cref="PoolFamily.Normalise">normal form</see>.</summary>
    internal bool IsFor(string normalisedConnectionString) => _ownsNpgsql && _normalised == normalisedConnectionString;

    /// <summary>Whether the user built the pool on this data source.</summary>
    internal bool IsOn(NpgsqlDataSource dataSource) => !_ownsNpgsql && ReferenceEquals(_npgsql, dataSource);

    internal bool IsClosed => _isClosed;

    /// <summary>What is known of the database, and how far it can be trusted.</summary>
    internal CatalogKeeper Catalogs => Context.Catalogs;

    /// <summary>What is known of the database at this moment.</summary>
    internal SqlCatalog Catalog => Context.Catalog;

    internal string? ServerVersion => _connector.ServerVersion;

    /// <summary>For connections beside the pool, which must be able to log in. Never shown.</summary>
    internal string ConnectionStringWithPassword { get; }

    /// <summary>Creates a data source.</summary>
    /// <param name="connectionString">An Npgsql connection string. Its pooling keywords set the options of the same meaning.</param>
    /// <param name="configure">Sets options and overrides the connection string.</param>
    /// <exception cref="InvalidPoolOptionsException">An option is outside its range, or the connection string contradicts pooling.</exception>
    public static TransactionPoolingDataSource Create(string connectionString, Action<TransactionPoolingOptions>? configure = null)
    {
        var builder = new TransactionPoolingDataSourceBuilder(connectionString);
        return (configure is null ? builder : builder.ConfigureOptions(configure)).Build();
    }

    /// <summary>A closed connection. Dispose it.</summary>
    /// <param name="member">Filled in by the compiler, to name the call site in diagnostics.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public LogicalConnection CreateConnection(
        [CallerMemberName] string? member = null, [CallerFilePath] string? file = null, [CallerLineNumber] int line = 0)
        => NamedForDapper.Create(_selectPool, this).OpenedBy(new CallerInfo(member, file, line));

    /// <summary>
    /// The same pool for code that relies on sessions, such as a library for locks. Each connection created here keeps one server
    /// connection from the first statement that needs a session until it is closed.
    /// </summary>
    /// <returns>Connections of this pool, with <see cref="LogicalConnection.SessionState"/> set. Need not be disposed.</returns>
    public DbDataSource WithSessions() => new SessionDataSource(ConnectionString, () =>
    {
        var connection = CreateConnection(null, null);
        connection.SessionState = SessionStatePolicy.Pin;
        return connection;
    });

    /// <summary>A closed connection that selects its pool in another way when its connection string changes.</summary>
    /// <param name="pool"><c>null</c>: it has none before its connection string is set.</param>
    /// <param name="selectPool">Returns the pool for a connection string.</param>
    internal static LogicalConnection CreateConnectionOf(TransactionPoolingDataSource? pool, Func<string, TransactionPoolingDataSource> selectPool)
        => NamedForDapper.Create(pool is { _ownsNpgsql: false } ? pool._selectPool : selectPool, pool);

    /// <summary>An open connection. Dispose it.</summary>
    /// <param name="member">Filled in by the compiler, to name the call site in diagnostics.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public LogicalConnection OpenConnection(
        [CallerMemberName] string? member = null, [CallerFilePath] string? file = null, [CallerLineNumber] int line = 0)
    {
        var connection = CreateConnection(member, file, line);
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="OpenConnection"/>
    /// <param name="cancellationToken">Cancels the wait for the server.</param>
    /// <param name="member">Filled in by the compiler, to name the call site in diagnostics.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public async ValueTask<LogicalConnection> OpenConnectionAsync(
        CancellationToken cancellationToken = default,
        [CallerMemberName] string? member = null,
        [CallerFilePath] string? file = null,
        [CallerLineNumber] int line = 0)
    {
        var connection = CreateConnection(member, file, line);
        try
        {
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The numbers of the pool at this moment.</summary>
    public PoolSnapshot GetSnapshot() => _pool.GetSnapshot();

    /// <summary>The holders of server connections, the longest holder first.</summary>
    /// <param name="limit">At most that many.</param>
    public IReadOnlyList<LeaseInfo> GetOldestLeases(int limit = int.MaxValue) => _pool.GetOldestLeases(limit);

    /// <summary>How often a connection was given a session of its own since the pool was created, by reason; reasons that never occurred are absent.</summary>
    public IReadOnlyDictionary<PinReason, long> GetPins() => Context.GetPins();

    /// <summary>The numbers of the reads that shared round trips, since the pool was created.</summary>
    public MultiplexingStatistics GetMultiplexingStatistics() => (Execution.ReadMultiplexer?.Counters ?? new MultiplexingCounters()).ToStatistics();

    /// <summary>
    /// Opens <see cref="PoolOptions.MinPoolSize"/> server connections, or one if that is 0. Throws the server's error if it
    /// refuses.
    /// </summary>
    public ValueTask WarmUpAsync(CancellationToken cancellationToken = default) => _pool.WarmUpAsync(cancellationToken);

    /// <summary>
    /// The notifications that NOTIFY sends to a channel, as an endless stream that begins with a gap. One server connection
    /// beside the pool listens for all subscribers of this data source, from the first one until the last one has left. If it
    /// breaks, it is replaced, and each subscriber receives a gap.
    /// </summary>
    /// <remarks>
    /// Each enumeration is a subscription of its own. It begins with the first MoveNextAsync and ends when the enumerator is
    /// disposed or the token cancelled. After a gap, every notification whose transaction commits is delivered in the order of
    /// the commits: load your state at each gap, then follow. A subscriber that falls
    /// <see cref="TransactionPoolingOptions.NotificationBacklog"/> notifications behind receives a gap instead of them and delays
    /// no other subscriber. Enumerating throws the server's error if it cannot be reached at the beginning,
    /// <see cref="PoolClosedException"/> once the data source is closed, and <see cref="OperationCanceledException"/>.
    /// </remarks>
    /// <param name="channel">
    /// Taken literally, as in <c>LISTEN "name"</c>: capitals count. NOTIFY without quotes folds its channel to lower case.
    /// </param>
    /// <param name="cancellationToken">Ends the subscription.</param>
    /// <exception cref="ArgumentException">
    /// The name is empty, longer than 63 bytes in UTF-8, or contains a NUL character or half a surrogate pair.
    /// </exception>
    public IAsyncEnumerable<ChannelNotification> SubscribeAsync(string channel, CancellationToken cancellationToken = default)
        => _notifications.SubscribeAsync(ChannelName.Check(channel), cancellationToken);

    /// <summary>Closes every server connection: unused ones now, others after their release.</summary>
    public void Clear() => _pool.Clear();

    /// <summary>
    /// Makes the pool learn types (enums, composites, extensions), functions and views that were created or changed since the
    /// first connection.
    /// </summary>
    public void ReloadTypes()
    {
        var lease = Context.Acquire(new NamedOperation(Core.LeaseScope.Command, "ReloadTypes"), CancellationToken.None);
        try
        {
            lease.Connection.Npgsql.ReloadTypes();
            Catalogs.Load(lease.Connection.Npgsql);
        }
        catch (Exception e)
        {
            lease.Connection.Observe(e);
            throw;
        }
        finally
        {
            lease.End();
        }

        Clear(); // Open connections know the old types only.
    }

    /// <inheritdoc cref="ReloadTypes"/>
    public async Task ReloadTypesAsync(CancellationToken cancellationToken = default)
    {
        var lease = await Context.AcquireAsync(new NamedOperation(Core.LeaseScope.Command, "ReloadTypes"), cancellationToken).ConfigureAwait(false);
        try
        {
            await lease.Connection.Npgsql.ReloadTypesAsync(cancellationToken).ConfigureAwait(false);
            await Catalogs.LoadAsync(lease.Connection.Npgsql, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            lease.Connection.Observe(e);
            throw;
        }
        finally
        {
            await lease.EndAsync().ConfigureAwait(false);
        }

        Clear(); // Open connections know the old types only.
    }

    /// <summary>
    /// Closes the pool: refuses new work, ends subscriptions, waits for running leases, then closes. Also closes the pools of
    /// other databases reached from here.
    /// </summary>
    /// <param name="drain">How long to wait.</param>
    /// <returns>Whether every lease ended in time. The connections of the others are closed when they are released.</returns>
    public async Task<bool> CloseAsync(TimeSpan drain)
    {
        var others = _family.OnClosingAsync(this, drain);
        _isClosed = true;
        _entry?.Leave();
        Context.IdleWatch?.Dispose();
        var listening = _notifications.CloseAsync(drain);
        var drained = await _pool.CloseAsync(drain).ConfigureAwait(false) & await listening.ConfigureAwait(false);
        Catalogs.Dispose();
        _lifeline.Dispose();
        if (_ownsNpgsql)
        {
            await _npgsql.DisposeAsync().ConfigureAwait(false);
            if (_unpooled.IsValueCreated)
            {
                await _unpooled.Value.DisposeAsync().ConfigureAwait(false);
            }
        }

        await others.ConfigureAwait(false);
        return drained;
    }

    /// <summary>Whether the server connections are opened with a connection string, not by a user's data source.</summary>
    internal bool OwnsConnections => _ownsNpgsql;

    /// <summary>
    /// Whether the user's data source, on which the pool was built, was disposed, so that it opens no more connections.
    /// </summary>
    internal bool IsSourceDisposed => !_ownsNpgsql && NpgsqlInternals.IsDisposed(_npgsql);

    void IKeptPool.CloseIfSourceIsDisposed()
    {
        if (!_isClosed && IsSourceDisposed)
        {
            Log.SourceDisposed(Logger, Name);
            _ = CloseAsync(TimeSpan.Zero); // Never throws.
        }
    }

    void IKeptPool.CloseForgotten()
    {
        if (!_isClosed)
        {
            if (_entry is null)
            {
                Log.Forgotten(Logger, Name, GetSnapshot().ServerConnections);
            }

            _ = CloseAsync(TimeSpan.Zero); // Never throws.
        }
    }

    void IKeptPool.LeaveWhenUnused(IPoolEntry entry)
    {
        _entry = entry;
        if (Options.PoolIdleTimeout > TimeSpan.Zero)
        {
            Context.IdleWatch = new PoolIdleWatch(this, entry, _family.Configuration.Time ?? TimeProvider.System);
        }
    }

    bool IKeptPool.IsInUse(out long uses)
    {
        var snapshot = GetSnapshot();
        uses = snapshot.LeasesGranted + snapshot.Waits;
        return snapshot.InUse + snapshot.Waiting > 0 || snapshot.IsPaused || snapshot.IsDisabled || _notifications.IsInUse; // What an operator has ordered must not be forgotten.
    }

    bool IKeptPool.TryRest()
    {
        if (!_pool.TryRest())
        {
            return false;
        }

        Catalogs.Drop();
        return true;
    }

    internal TransactionPoolingDataSource GetDatabase(string database) => _family.GetDatabase(this, database);

    // Never the user's name, which is the database's if the connection string names none: logs and metrics carry this.
    private static string DefaultName(NpgsqlConnectionStringBuilder keywords)
        => string.IsNullOrEmpty(keywords.Database) ? $"{keywords.Host}" : $"{keywords.Database}@{keywords.Host}";

    private static TransactionPoolingOptions ForShuffling(TransactionPoolingOptions options)
        => options with { ServerRoundRobin = true, MinPoolSize = Math.Max(options.MinPoolSize, Math.Min(2, options.MaxPoolSize)) };

    /// <inheritdoc/>
    protected override DbConnection CreateDbConnection() => CreateConnection(null, null);

    /// <inheritdoc/>
    protected override DbConnection OpenDbConnection() => OpenConnection(null, null);

    /// <inheritdoc/>
    protected override ValueTask<DbConnection> OpenDbConnectionAsync(CancellationToken cancellationToken = default)
    {
        var opening = OpenConnectionAsync(cancellationToken, null, null);
        return opening.IsCompletedSuccessfully ? new ValueTask<DbConnection>(opening.Result) : AwaitAsync(opening);

        static async ValueTask<DbConnection> AwaitAsync(ValueTask<LogicalConnection> opening) => await opening.ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            CloseAsync(TimeSpan.Zero).GetAwaiter().GetResult(); // Waits for idle server connections to close, which needs no pool thread.
        }

        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override async ValueTask DisposeAsyncCore()
    {
        await CloseAsync(TimeSpan.Zero).ConfigureAwait(false);
        await base.DisposeAsyncCore().ConfigureAwait(false);
    }

    private static NpgsqlDataSource BuildNpgsql(PoolConfiguration configuration, string connectionString)
    {
        var builder = new NpgsqlDataSourceBuilder(connectionString);
        builder.UseLoggerFactory(configuration.LoggerFactory);
        OwnCommand.LeaveOut(builder);
        configuration.ConfigureNpgsql?.Invoke(builder);
        ConnectionStringKeywords.RefuseContradictions(builder.ConnectionStringBuilder, mayBeUnpooled: true);
        ConnectionStringKeywords.RequireHost(builder.ConnectionStringBuilder);
        builder.ConnectionStringBuilder.Pooling = false; // Whatever the callback did: this pool holds the connections, and
        builder.ConnectionStringBuilder.Enlist = false; // logical connections enlist.
        return builder.Build();
    }
}
