using EfPooling.AdoNet;
using EfPooling.Dev;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests.Harness;

/// <summary>
/// A database whose tables only let through the rows of the session's tenant, and a role that is neither their owner nor a superuser.
/// No test writes a WHERE for the tenant: the policies decide.
/// </summary>
public sealed class TenantDatabase : IAsyncLifetime
{
    public const string Tenant = "SELECT current_setting('app.tenant_id', true)";

    private NpgsqlConnectionStringBuilder _connectionString = null!;

    public DevPostgresServer Server { get; private set; } = null!;

    /// <summary>For whoever is past every policy.</summary>
    public string OwnersConnectionString { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Server = await TestServer.GetAsync();
        OwnersConnectionString = new NpgsqlConnectionStringBuilder(await Server.CreateDatabaseAsync()) { Pooling = false }.ConnectionString;
        await using (var notebook = new Notebook(new DbContextOptionsBuilder().UseNpgsql(OwnersConnectionString).Options))
        {
            await notebook.Database.EnsureCreatedAsync();
        }

        _connectionString = new NpgsqlConnectionStringBuilder(OwnersConnectionString) { Pooling = true, Username = $"app_{Guid.NewGuid():N}", Password = "secret" };
        await RunAsync($"CREATE ROLE {_connectionString.Username} LOGIN PASSWORD 'secret' NOSUPERUSER NOBYPASSRLS");
        foreach (var table in new[] { "note", "line" })
        {
            await RunAsync(
                $"""
                ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
                ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
                CREATE POLICY tenant ON {table} USING ("Tenant" = current_setting('app.tenant_id'))
                    WITH CHECK ("Tenant" = current_setting('app.tenant_id') AND "Claimed" = current_setting('app.tenant_id'));
                GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {_connectionString.Username};
                """);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A connection string that no other test uses, so that its pool is not shared either.</summary>
    public string For(string applicationName, string keywords = "")
        => new NpgsqlConnectionStringBuilder($"{_connectionString.ConnectionString};{keywords}") { ApplicationName = applicationName }.ConnectionString;

    /// <summary>Options with the declared tenant and one server connection: whatever a tenant leaves behind, the next one gets.</summary>
    public DbContextOptions Options(string applicationName, Action<DbContextOptionsBuilder>? more = null, Action<TransactionPoolingOptions>? pool = null)
    {
        var builder = new DbContextOptionsBuilder();
        builder.UseNpgsql(For(applicationName)).UseTransactionPooling(options =>
        {
            options.MaxPoolSize = 1;
            Notebook.DeclareTenant(options);
            pool?.Invoke(options);
        });
        more?.Invoke(builder);
        return builder.Options;
    }

    /// <summary>The context of one tenant.</summary>
    public Notebook Open(string? tenant, string applicationName, Action<DbContextOptionsBuilder>? more = null)
        => new(Options(applicationName, more)) { Tenant = tenant };

    /// <summary>The contexts of two tenants on the same server connection, each with a note of its own and two lines.</summary>
    public async Task<(Notebook A, Notebook B)> OpenTwoAsync(string name, Action<DbContextOptionsBuilder>? more = null)
    {
        var (a, b) = (Open($"{name} a", name, more), Open($"{name} b", name, more));
        foreach (var notebook in new[] { a, b })
        {
            notebook.Add(NoteOf(notebook, "first"));
            await notebook.SaveChangesAsync();
            notebook.ChangeTracker.Clear();
        }

        return (a, b);
    }

    /// <summary>A note as its tenant writes it.</summary>
    public static Note NoteOf(Notebook notebook, string text) => new()
    {
        Claimed = notebook.Tenant!,
        Text = text,
        Lines = [new NoteLine { Claimed = notebook.Tenant!, Text = "1" }, new NoteLine { Claimed = notebook.Tenant!, Text = "2" }],
    };

    /// <summary>Runs SQL as the owner, beside every pool, past every policy.</summary>
    public async Task<int> RunAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(OwnersConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync();
    }

    /// <inheritdoc cref="RunAsync"/>
    public async Task<T> AskAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(OwnersConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>How many rows were written with a session of another tenant than the writer's.</summary>
    public Task<long> CountStrangersAsync()
        => AskAsync<long>("SELECT (SELECT count(*) FROM note WHERE \"Tenant\" <> \"Claimed\") + (SELECT count(*) FROM line WHERE \"Tenant\" <> \"Claimed\")");
}
