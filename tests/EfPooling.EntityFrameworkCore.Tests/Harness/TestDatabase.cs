using EfPooling.AdoNet;
using EfPooling.Dev;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Harness;

/// <summary>A database with the tables of <see cref="Shop"/> for one test class, made with stock EF Core.</summary>
public sealed class TestDatabase : IAsyncLifetime
{
    private NpgsqlConnectionStringBuilder _connectionString = null!;

    public DevPostgresServer Server { get; private set; } = null!;

    public string ConnectionString => _connectionString.ConnectionString;

    public string Name => _connectionString.Database!;

    public string Password => _connectionString.Password!;

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.GetAsync();
        _connectionString = new NpgsqlConnectionStringBuilder(await Server.CreateDatabaseAsync());
        await using var shop = new Shop(
            new DbContextOptionsBuilder<Shop>().UseNpgsql(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString).Options);
        await shop.Database.EnsureCreatedAsync();
        await shop.Database.ExecuteSqlRawAsync("CREATE VIEW customer_totals AS SELECT c.\"Name\", sum(o.\"Total\") AS \"Total\" FROM \"Customers\" c JOIN \"Orders\" o ON o.\"CustomerId\" = c.\"Id\" GROUP BY c.\"Name\"");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A connection string that no other test uses, so that its pool is not shared either. PostgreSQL shows the name.</summary>
    /// <param name="applicationName">Names the test.</param>
    public string For(string applicationName)
        => new NpgsqlConnectionStringBuilder(ConnectionString) { ApplicationName = applicationName }.ConnectionString;

    /// <summary>Options with a pool that no other test uses, of one server connection: whatever is leaked is missed at once.</summary>
    public DbContextOptions<Shop> Options(string applicationName, Action<DbContextOptionsBuilder<Shop>>? more = null, Action<TransactionPoolingOptions>? pool = null)
    {
        var builder = new DbContextOptionsBuilder<Shop>().UseNpgsql(For(applicationName)).UseTransactionPooling(options =>
        {
            options.MaxPoolSize = 1;
            pool?.Invoke(options);
        });
        more?.Invoke(builder);
        return builder.Options;
    }

    /// <summary>A context with <see cref="Options"/>.</summary>
    public Shop CreateShop(string applicationName, Action<DbContextOptionsBuilder<Shop>>? more = null, Action<TransactionPoolingOptions>? pool = null)
        => new(Options(applicationName, more, pool));

    /// <summary>How many backends of that name there are.</summary>
    public async Task<int> CountBackendsAsync(string applicationName)
        => (await Server.QueryActivityAsync()).Count(backend => backend.ApplicationName == applicationName);

    /// <summary>Runs SQL beside every pool.</summary>
    public async Task<object?> ScalarAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
