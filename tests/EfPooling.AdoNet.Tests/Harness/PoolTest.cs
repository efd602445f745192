using EfPooling.Dev;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>
/// Makes pools on a database of the test class's own, and looks at each pool after the test: nothing is leased, nobody waits, it
/// empties, and its backends are gone.
/// </summary>
[Collection(SharedServer.Name)]
public abstract class PoolTest(ServerFixture fixture) : IAsyncLifetime
{
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static int _poolCount;
    private readonly List<(TransactionPoolingDataSource Pool, string ApplicationName)> _pools = [];

    protected DevPostgresServer Server => fixture.Server;

    protected string ConnectionString { get; private set; } = "";

    public virtual async ValueTask InitializeAsync() => ConnectionString = await fixture.DatabaseOfAsync(GetType());

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var (pool, applicationName) in _pools)
        {
            await VerifyWholeAsync(pool);
            await WaitForBackendsAsync(applicationName, backends => backends.Count == 0);
        }
    }

    /// <summary>Nothing leased, nobody waiting; then closes the pool, which must empty it.</summary>
    internal static async Task VerifyWholeAsync(TransactionPoolingDataSource pool)
    {
        pool.WaitForBatches();
        var before = pool.GetSnapshot();
        Assert.True(before is { InUse: 0, Waiting: 0 }, $"The test left {before}; {string.Join("; ", pool.GetOldestLeases())}");
        Assert.True(await pool.CloseAsync(Patience), "The pool did not drain.");
        var after = pool.GetSnapshot();
        var mayHaveOpened = before.Opening + before.Closing > 0; // The end of a close may begin an open, which closes what it opened when the pool is gone.
        Assert.True(after is { Idle: 0, InUse: 0, Waiting: 0 } && (after.Closing == 0 || mayHaveOpened), $"The pool did not empty: {after}, {before} before.");
        while (after.Opening > 0 || after.Closing > 0)
        {
            await Task.Yield(); // An open that nobody wants any more ends by itself, and closes what it opened.
            after = pool.GetSnapshot();
        }

        Assert.True(after.Free == after.MaxPoolSize + after.ReservePoolSize, $"The pool did not empty: {after}");
    }

    protected TransactionPoolingDataSource CreatePool(
        int maxPoolSize = 5,
        string keywords = "",
        Action<TransactionPoolingOptions>? configure = null,
        Action<TransactionPoolingDataSourceBuilder>? build = null)
    {
        var applicationName = $"pool {Interlocked.Increment(ref _poolCount)}";
        var builder = new TransactionPoolingDataSourceBuilder($"{ConnectionString};{keywords};Application Name={applicationName}");
        builder.ConfigureOptions(options => options.MaxPoolSize = maxPoolSize);
        builder.ConfigureOptions(options => configure?.Invoke(options));
        build?.Invoke(builder);
        var pool = builder.Build();
        _pools.Add((pool, applicationName));
        return pool;
    }

    /// <summary>The pool closes connections in the background, during which Npgsql's property may throw.</summary>
    protected static async Task WaitForClosedAsync(NpgsqlConnection connection)
    {
        while (NpgsqlInternals.GetFullState(connection) != System.Data.ConnectionState.Closed)
        {
            await Task.Yield();
        }
    }

    /// <summary>A way to the server that can fail.</summary>
    private protected Relay CreateRelay()
    {
        var server = new NpgsqlConnectionStringBuilder(ConnectionString);
        return new Relay(server.Host!, server.Port);
    }

    /// <summary>A pool for a test that looks at which server connections are used, or how many, or what is sent to them.</summary>
    protected TransactionPoolingDataSource CreateUnshuffledPool(
        int maxPoolSize = 5,
        string keywords = "",
        Action<TransactionPoolingOptions>? configure = null,
        Action<TransactionPoolingDataSourceBuilder>? build = null)
        => CreatePool(maxPoolSize, keywords, options =>
        {
            options.Shuffle = false;
            configure?.Invoke(options);
        }, build);

    /// <summary>Reads share round trips, also those whose text comes for the first time: the schema is believed not to change.</summary>
    protected TransactionPoolingDataSource CreateSharingPool(
        int maxPoolSize = 5,
        string keywords = "",
        Action<TransactionPoolingOptions>? configure = null,
        Action<TransactionPoolingDataSourceBuilder>? build = null)
        => CreateUnshuffledPool(maxPoolSize, keywords, options =>
        {
            options.Multiplexing = MultiplexingMode.Auto;
            options.SchemaCheckInterval = Timeout.InfiniteTimeSpan;
            configure?.Invoke(options);
        }, build);

    /// <summary>Looks after a pool that the test made itself.</summary>
    protected TransactionPoolingDataSource Watch(TransactionPoolingDataSource pool)
    {
        _pools.Add((pool, ApplicationNameOf(pool)));
        return pool;
    }

    /// <summary>The backends of a pool that the server has now.</summary>
    protected async Task<IReadOnlyList<BackendActivity>> BackendsOfAsync(TransactionPoolingDataSource pool)
        => [.. (await Server.QueryActivityAsync()).Where(backend => backend.ApplicationName == ApplicationNameOf(pool))];

    protected Task<IReadOnlyList<BackendActivity>> WaitForBackendsAsync(
        TransactionPoolingDataSource pool, Func<IReadOnlyList<BackendActivity>, bool> condition)
        => WaitForBackendsAsync(ApplicationNameOf(pool), condition);

    /// <summary>Waits until a backend of the pool executes this text.</summary>
    protected async Task<int> WaitForQueryAsync(TransactionPoolingDataSource pool, string text)
    {
        var backends = await WaitForBackendsAsync(pool, all => all.Any(IsIt));
        return backends.First(IsIt).ProcessId;

        bool IsIt(BackendActivity backend) => backend.State == "active" && backend.Query.Contains(text, StringComparison.Ordinal);
    }

    /// <summary>A connection beside every pool.</summary>
    protected async Task<NpgsqlConnection> OpenPlainAsync()
    {
        var connection = new NpgsqlConnection($"{ConnectionString};Pooling=false;Enlist=false;Application Name=plain");
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Runs statements beside every pool.</summary>
    protected async Task PrepareDatabaseAsync(string sql)
    {
        await using var connection = await OpenPlainAsync();
        await connection.RunAsync(sql);
    }

    protected async Task<T> AskPlainAsync<T>(string sql)
    {
        await using var connection = await OpenPlainAsync();
        return await connection.AskAsync<T>(sql);
    }

    private static string ApplicationNameOf(TransactionPoolingDataSource pool)
        => new NpgsqlConnectionStringBuilder(pool.ConnectionString).ApplicationName!;

    private async Task<IReadOnlyList<BackendActivity>> WaitForBackendsAsync(string applicationName, Func<IReadOnlyList<BackendActivity>, bool> condition)
    {
        IReadOnlyList<BackendActivity> ours = [];
        await Server.WaitForActivityAsync(all => condition(ours = [.. all.Where(backend => backend.ApplicationName == applicationName)]), Patience);
        return ours;
    }
}
