using Dapper;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Tests.Settings;

/// <summary>A required setting without a value: nothing is sent, nothing is leased, and the exception names it.</summary>
public sealed class RequiredTenantTests(TenantDatabase database) : IClassFixture<TenantDatabase>
{
    public static TheoryData<string?> NoValues => [new(null), new("")];

    [Theory]
    [MemberData(nameof(NoValues))]
    public async Task EveryOperation_Throws_AndTouchesNoServerConnection(string? none)
    {
        await using var notebook = database.Open("somebody", $"missing {none is null}");
        await notebook.Notes.CountAsync();
        var pool = notebook.Database.GetTransactionPool();
        var before = await LastStatementAsync(pool);
        notebook.Tenant = none;
        var connection = notebook.Database.GetDbConnection();

        await MissingAsync(() => notebook.Notes.ToListAsync());
        await MissingAsync(() => notebook.Notes.FromSql($"SELECT * FROM note").AsAsyncEnumerable().GetAsyncEnumerator().MoveNextAsync().AsTask());
        await MissingAsync(() => notebook.Notes.ExecuteDeleteAsync());
        await MissingAsync(() => notebook.Database.ExecuteSqlRawAsync("DELETE FROM note"));
        await MissingAsync(() => connection.ExecuteAsync("DELETE FROM note"));
        await MissingAsync(() => connection.QueryAsync<string>(TenantDatabase.Tenant));
        Assert.Throws<SessionSettingMissingException>(() => notebook.Notes.ToList());
        notebook.Add(new Note { Claimed = "nobody", Text = "never" });
        await MissingInSaveAsync(notebook);
        notebook.Add(new Note { Claimed = "nobody", Text = "never ever" });
        await MissingInSaveAsync(notebook);
        await using (await notebook.Database.BeginTransactionAsync())
        {
            await MissingAsync(() => notebook.Notes.ToListAsync());
            await MissingInSaveAsync(notebook);
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(before, await LastStatementAsync(pool));
        notebook.ChangeTracker.Clear();
        notebook.Tenant = "somebody";
        Assert.Equal(0, await notebook.Notes.CountAsync());
    }

    [Fact]
    public async Task TransactionThatLosesItsTenant_GoesNoFurther_AndCanBeRolledBack()
    {
        await using var notebook = database.Open("somebody", "lost");
        await using (var transaction = await notebook.Database.BeginTransactionAsync())
        {
            notebook.Add(new Note { Claimed = "somebody", Text = "lost" });
            await notebook.SaveChangesAsync();
            notebook.Tenant = null;
            await MissingAsync(() => notebook.Notes.CountAsync());
            await transaction.RollbackAsync();
        }

        PoolHasNothingLeased(notebook);
        notebook.Tenant = "somebody";
        Assert.Equal(0, await notebook.Notes.CountAsync());
    }

    [Fact]
    public async Task ConnectionTakenFromTheContextsPool_HasNoContext_SoTheTenantIsMissing()
    {
        await using var notebook = database.Open("somebody", "taken");
        await notebook.Notes.CountAsync();
        await using var connection = await notebook.Database.GetTransactionPool().OpenConnectionAsync();
        await MissingAsync(() => connection.ExecuteScalarAsync<string>(TenantDatabase.Tenant));
        connection.SetSessionSetting("app.tenant_id", "given");
        Assert.Equal("given", await connection.ExecuteScalarAsync<string>(TenantDatabase.Tenant));
        Assert.Equal("somebody", await notebook.Database.GetDbConnection().ExecuteScalarAsync<string>(TenantDatabase.Tenant));
    }

    [Fact]
    public async Task RetryingStrategy_DoesNotRetryIt()
    {
        var asked = 0;
        await using var notebook = new Notebook(database.Options(
            "strategy",
            builder => builder.UseNpgsql(npgsql => npgsql.EnableRetryOnFailure(5, TimeSpan.Zero, null)),
            pool => pool.SessionSetting("app.tenant_id", _ =>
            {
                asked++;
                return null;
            }, required: true)));
        await MissingAsync(() => notebook.Notes.ToListAsync());
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task CreatingAndProbingDatabases_NeedsNoTenant()
    {
        await using var notebook = database.Open(null, "probing");
        Assert.True(await notebook.Database.CanConnectAsync());
        Assert.False(await notebook.Database.EnsureCreatedAsync()); // There already.
        Assert.True(await notebook.GetService<IRelationalDatabaseCreator>().ExistsAsync());
        Assert.Empty(await notebook.Database.GetAppliedMigrationsAsync());
        await MissingAsync(() => notebook.Notes.ToListAsync());
    }

    [Fact]
    public async Task CreatingMigratingAndDroppingADatabase_IsUnaffectedByDeclaredSettings()
    {
        var connectionString = new Npgsql.NpgsqlConnectionStringBuilder(database.Server.ConnectionString) { Database = $"migrated_{Guid.NewGuid():N}" }.ConnectionString;
        await using var library = Library.Create(connectionString, pool: options => options.SessionSetting("app.tenant_id", _ => null, required: true));
        await library.Database.MigrateAsync();
        Assert.Equal(2, (await library.Database.GetAppliedMigrationsAsync()).Count());
        await MissingAsync(() => library.Books.ToListAsync());
        Assert.True(await library.Database.EnsureDeletedAsync());
    }

    private static async Task MissingAsync(Func<Task> operation)
        => Assert.Equal("app.tenant_id", (await Assert.ThrowsAsync<SessionSettingMissingException>(operation)).SettingName);

    // EF Core wraps whatever happens in SaveChanges.
    private static async Task MissingInSaveAsync(Notebook notebook)
        => Assert.IsType<SessionSettingMissingException>((await Assert.ThrowsAnyAsync<Exception>(() => notebook.SaveChangesAsync())).GetBaseException());

    private static void PoolHasNothingLeased(Notebook notebook) => Assert.Equal(0, notebook.Database.GetTransactionPool().GetSnapshot().InUse);

    // What the pool's only backend ran last, as others see it.
    private async Task<string> LastStatementAsync(TransactionPoolingDataSource pool)
        => (await database.Server.QueryActivityAsync())
            .Single(backend => backend.ApplicationName == new Npgsql.NpgsqlConnectionStringBuilder(pool.ConnectionString).ApplicationName).Query;
}
