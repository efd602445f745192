using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Tests.Settings;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>Code of the application that runs while databases are migrated or created, and leaves the connection open: nobody after it notices.</summary>
public sealed class OpenScopeMigrationTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(Left.Connection, false, false)]
    [InlineData(Left.Connection, true, false)]
    [InlineData(Left.Connection, true, true)]
    [InlineData(Left.Transaction, false, false)]
    [InlineData(Left.Transaction, true, false)]
    [InlineData(Left.Transaction, true, true)]
    public async Task SeedingThatThrows_ThrowsItself_AndTheNextUserOfTheContextHasThePool(Left left, bool isPooled, bool isAsync)
    {
        await using var services = Services(await database.Server.CreateDatabaseAsync(), isPooled, library =>
        {
            Leave(library, left);
            throw new IntendedException();
        });
        var factory = services.GetRequiredService<IDbContextFactory<Library>>();
        await using (var library = await factory.CreateDbContextAsync())
        {
            library.Database.SetCommandTimeout(77);
            await Assert.ThrowsAsync<IntendedException>(() => isAsync ? library.Database.MigrateAsync() : Task.Run(() => library.Database.Migrate()));
            Assert.Equal(77, library.Database.GetCommandTimeout());
            if (isPooled)
            {
                Assert.IsAssignableFrom<LogicalConnection>(library.Database.GetDbConnection());
                Assert.Equal(System.Data.ConnectionState.Closed, library.Database.GetDbConnection().State);
                Assert.Null(library.Database.CurrentTransaction);
            }
        }

        await using var next = await factory.CreateDbContextAsync();
        Assert.Equal(isPooled, next.Database.GetDbConnection() is LogicalConnection);
        Assert.Equal(left == Left.Transaction ? 0 : 1, await next.Books.CountAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SeedingThatLeavesTheConnectionOpen_Migrates(bool isPooled)
    {
        await using var services = Services(await database.Server.CreateDatabaseAsync(), isPooled, library => Leave(library, Left.Connection));
        await using var library = await services.GetRequiredService<IDbContextFactory<Library>>().CreateDbContextAsync();
        await library.Database.MigrateAsync();
        Assert.Equal(1, await library.Database.SqlQuery<int>($"SELECT count(*)::int AS \"Value\" FROM \"Books\"").SingleAsync());
        await library.Database.CloseConnectionAsync(); // As often as the seed has opened it.
        await library.Database.CloseConnectionAsync();
        Assert.Equal(isPooled, library.Database.GetDbConnection() is LogicalConnection);
        Assert.Equal(System.Data.ConnectionState.Closed, library.Database.GetDbConnection().State);
    }

    private static void Leave(DbContext context, Left left)
    {
        context.Database.OpenConnection();
        context.Database.OpenConnection();
        if (left == Left.Transaction)
        {
            context.Database.BeginTransaction();
        }

        context.Database.ExecuteSqlRaw("INSERT INTO \"Books\" (\"Title\", \"Genre\") VALUES ('Faust', 'poetry')");
    }

    private static ServiceProvider Services(string connectionString, bool isPooled, Action<DbContext> seed)
        => new ServiceCollection().AddPooledDbContextFactory<Library>(
            builder =>
            {
                builder.UseNpgsql(connectionString, npgsql => npgsql.MapEnum<Genre>("genre")).ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning))
                    .UseSeeding((context, _) => seed(context)).UseAsyncSeeding((context, _, _) =>
                    {
                        seed(context);
                        return Task.CompletedTask;
                    });
                builder.EnableServiceProviderCaching(false); // EF Core warns of more than twenty in a process.
                if (isPooled)
                {
                    builder.UseTransactionPooling();
                }
            },
            poolSize: 1).BuildServiceProvider();

    public enum Left
    {
        /// <summary>Opened twice, closed never.</summary>
        Connection,

        /// <summary>The same, and a transaction.</summary>
        Transaction,
    }
}
