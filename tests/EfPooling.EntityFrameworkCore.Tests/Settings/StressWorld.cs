using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>What all callers of the stress share: one pool for EF Core, Dapper and ADO.NET, pooled contexts, and somebody who kills. Thread-safe.</summary>
internal sealed class StressWorld : IAsyncDisposable
{
    private const string Name = "stress";
    private const int OperationsPerKill = 2000;

    private readonly TenantDatabase _database;
    private readonly PooledDbContextFactory<StressNotebook> _contexts;
    private int _operations; // Interlocked only
    private int _kills; // Interlocked only

    public StressWorld(TenantDatabase database, string keywords)
    {
        _database = database;
        Pool = TransactionPoolingDataSource.Create(database.For(Name, keywords), options =>
        {
            options.MaxPoolSize = 5;
            options.ServerLoginRetry = TimeSpan.FromMilliseconds(50);
            options.SessionSetting("app.tenant_id", _ => Ambient.Value, required: true);
        });
        var builder = new DbContextOptionsBuilder<StressNotebook>();
        builder.UseNpgsql(Pool).UseTransactionPooling(Notebook.DeclareTenant);
        _contexts = new PooledDbContextFactory<StressNotebook>(builder.Options, poolSize: 40);
    }

    public static IReadOnlyList<string> Tenants { get; } = [.. Enumerable.Range(1, 50).Select(number => $"tenant {number}")];

    public TransactionPoolingDataSource Pool { get; }

    public StressLedger Ledger { get; } = new();

    /// <summary>The tenant of connections that have no context and none of their own.</summary>
    public AsyncLocal<string?> Ambient { get; } = new();

    public int Operations => _operations;

    public int Kills => _kills;

    /// <summary>A context from the pool of contexts, for one tenant.</summary>
    public Notebook Open(string tenant)
    {
        var notebook = _contexts.CreateDbContext();
        notebook.Tenant = tenant;
        return notebook;
    }

    /// <summary>Counts an operation; every now and then one of the pool's backends dies.</summary>
    public async Task CountAsync(Random random)
    {
        if (Interlocked.Increment(ref _operations) % OperationsPerKill == 0)
        {
            var backends = (await _database.Server.QueryActivityAsync()).Where(backend => backend.ApplicationName == Name).ToList();
            if (backends.Count > 0 && await _database.Server.TerminateBackendAsync(backends[random.Next(backends.Count)].ProcessId))
            {
                Interlocked.Increment(ref _kills);
            }
        }
    }

    public ValueTask DisposeAsync() => Pool.DisposeAsync();

    /// <summary>A command on a connection of the pool.</summary>
    public static LogicalCommand Command(LogicalConnection connection, string sql, params (string Name, object Value)[] parameters)
    {
        var command = new LogicalCommand(sql, connection);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.Add(new NpgsqlParameter(name, value));
        }

        return command;
    }

    private sealed class StressNotebook(DbContextOptions<StressNotebook> options) : Notebook(options);
}
