using EfPooling.AdoNet;
using EfPooling.Dev;
using Npgsql;

namespace EfPooling.Interleavings.Tests;

/// <summary>A server, and pools on it. A pool serves all runs of an exploration, one after the other, which leave it as it was.</summary>
public sealed class ExplorationFixture : IAsyncLifetime
{
    private DevPostgresServer _server = null!;
    private string _connectionString = "";

    public async ValueTask InitializeAsync()
    {
        _server = await DevPostgres.StartAsync();
        _connectionString = await _server.CreateDatabaseAsync();
    }

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    /// <summary>No other pool has the same one.</summary>
    public string NewConnectionString() => new NpgsqlConnectionStringBuilder(_connectionString) { ApplicationName = $"explored {Guid.NewGuid():N}" }.ConnectionString;

    /// <summary>As many server connections as there are callers in a scenario, all of them open: to acquire one takes no time.</summary>
    internal TransactionPoolingDataSource CreatePool(ConcurrentUseMode mode, int size = 4, TimeProvider? time = null, Action<TransactionPoolingOptions>? configure = null)
    {
        var builder = new TransactionPoolingDataSourceBuilder(NewConnectionString());
        builder.ConfigureOptions(options =>
        {
            (options.ConcurrentUse, options.MaxPoolSize) = (mode, size);
            options.QueryWaitTimeout = time is null ? TimeSpan.Zero : TimeSpan.FromSeconds(30); // Whoever waits for ever is found by the explorer.
            options.Multiplexing = MultiplexingMode.Off; // A read batch is a flow of its own.
            configure?.Invoke(options);
        });
        if (time is not null)
        {
            builder.UseTimeProvider(time);
        }

        var pool = builder.Build();
        var connections = Enumerable.Range(0, size).Select(_ => pool.OpenConnection()).ToList();
        var readers = connections.ConvertAll(connection => new LogicalCommand("SELECT 1", connection).ExecuteReader());
        readers.ForEach(reader => reader.Dispose());
        connections.ForEach(connection => connection.Dispose());
        return pool;
    }
}
