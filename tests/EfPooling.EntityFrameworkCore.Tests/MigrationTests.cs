using System.Data.Common;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

public sealed class MigrationTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task EnumTypeFromRawSql_WorksThroughThePoolRightAfterwards(bool databaseExists, bool isAsync)
    {
        var connectionString = await NewDatabaseAsync(databaseExists);
        await using var library = Library.Create(connectionString);
        if (databaseExists)
        {
            await library.GetBackendPidAsync(); // The pool learns the types before there is the new one.
        }

        await MigrateAsync(library, isAsync);
        library.Add(new Book { Title = "Faust", Genre = Genre.Poetry });
        await library.SaveChangesAsync();
        library.ChangeTracker.Clear();
        Assert.Equal(Genre.Poetry, (await library.Books.SingleAsync(book => book.Genre == Genre.Poetry)).Genre);
        Assert.IsAssignableFrom<LogicalConnection>(library.Database.GetDbConnection());
        await using var other = Library.Create(connectionString);
        Assert.Equal(1, await other.Books.CountAsync(book => book.Genre == Genre.Poetry));
        Assert.Same(library.Database.GetTransactionPool(), other.Database.GetTransactionPool());
        PoolAssert.NothingLeased(library);
    }

    [Fact]
    public async Task MigrationsCanBeListedRevertedAndApplied()
    {
        await using var library = Library.Create(await NewDatabaseAsync(exists: true));
        Assert.Equal(2, (await library.Database.GetPendingMigrationsAsync()).Count());
        await library.Database.MigrateAsync("Books");
        Assert.Equal(["20250101000000_Books"], await library.Database.GetAppliedMigrationsAsync());
        await library.Database.MigrateAsync();
        await library.Database.MigrateAsync("0");
        Assert.Empty(library.Database.GetAppliedMigrations());
        library.Database.Migrate();
        Assert.Equal(2, library.Database.GetAppliedMigrations().Count());
        Assert.Contains("CREATE TYPE genre", library.GetService<IMigrator>().GenerateScript(), StringComparison.Ordinal);
        Assert.Equal(0, await library.Books.CountAsync());
        PoolAssert.NothingLeased(library);
    }

    // One migration, because EF Core lets go of its lock between two of them, with or without a pool.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TwoContextsAtOnce_ApplyTheMigrationOnce(bool shareThePool)
    {
        var connectionString = await NewDatabaseAsync(exists: true);
        await using var first = Library.Create(connectionString);
        await using var second = Library.Create(connectionString, pool: shareThePool ? null : options => options.MaxPoolSize = 2);
        await Task.WhenAll(Task.Run(() => first.Database.MigrateAsync("Books")), Task.Run(() => second.Database.MigrateAsync("Books")));
        first.Add(new Book { Title = "Emma", Genre = Genre.Novel });
        await first.SaveChangesAsync();
        Assert.Equal(1, await second.Books.CountAsync(book => book.Genre == Genre.Novel));
        PoolAssert.NothingLeased(first);
        PoolAssert.NothingLeased(second);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OpenConnection_IsMigratedAsItIs(bool isAsync)
    {
        await using var library = Library.Create(await NewDatabaseAsync(exists: true));
        await library.Database.OpenConnectionAsync();
        if (isAsync)
        {
            await library.Database.MigrateAsync();
        }
        else
        {
            library.Database.Migrate();
        }

        library.Add(new Book { Title = "Emma", Genre = Genre.Novel });
        await library.SaveChangesAsync();
        Assert.Equal(System.Data.ConnectionState.Open, library.Database.GetDbConnection().State);
        Assert.Empty(await library.Database.GetPendingMigrationsAsync());
        PoolAssert.NothingLeased(library);
    }

    [Fact]
    public async Task TransactionOfAnotherContext_GoesOnMeanwhile()
    {
        var connectionString = await NewDatabaseAsync(exists: true);
        await using var other = Library.Create(connectionString);
        await using var transaction = await other.Database.BeginTransactionAsync();
        var pid = await other.GetBackendPidAsync();
        await using var library = Library.Create(connectionString);
        await library.Database.MigrateAsync();
        Assert.Equal(pid, await other.GetBackendPidAsync());
        await transaction.CommitAsync();
        PoolAssert.NothingLeased(library);
    }

    [Fact]
    public async Task CommandTimeoutSetBefore_HoldsForTheMigrationAndAfterwards()
    {
        var timeouts = new CommandTimeouts();
        await using var library = Library.Create(await NewDatabaseAsync(exists: true), builder => builder.AddInterceptors(timeouts));
        library.Database.SetCommandTimeout(1234);
        await library.Database.MigrateAsync();
        await library.Books.CountAsync();
        Assert.Equal([1234], timeouts.Seen.Distinct());
        Assert.Equal(1234, library.Database.GetCommandTimeout());
    }

    [Fact]
    public async Task OwnLogicalConnection_IsTheContextsAgainAfterwards()
    {
        await using var pool = new TransactionPoolingDataSourceBuilder(await NewDatabaseAsync(exists: true)).ConfigureNpgsql(npgsql => npgsql.MapEnum<Genre>("genre")).Build();
        await using var connection = pool.CreateConnection();
        await using var library = new Library(new DbContextOptionsBuilder<Library>().UseNpgsql(connection, npgsql => npgsql.MapEnum<Genre>("genre")).UseTransactionPooling()
            .ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning)).Options);
        await library.Database.MigrateAsync();
        Assert.Same(connection, library.Database.GetDbConnection());
        library.Add(new Book { Title = "Emma" });
        await library.SaveChangesAsync();
        await library.DisposeAsync();
        await connection.OpenAsync(); // It was not disposed.
    }

    [Fact]
    public async Task FailedMigration_GivesTheContextItsPoolBack()
    {
        var connectionString = await NewDatabaseAsync(exists: true);
        await using var library = Library.Create(connectionString);
        await library.Database.ExecuteSqlRawAsync("CREATE TABLE \"Books\" (x int)");
        await Assert.ThrowsAsync<PostgresException>(() => library.Database.MigrateAsync());
        await library.Database.ExecuteSqlRawAsync("DROP TABLE \"Books\"");
        await library.Database.MigrateAsync();
        Assert.Equal(0, await library.Books.CountAsync());
        PoolAssert.NothingLeased(library);
    }

    [Fact]
    public async Task RetryOnFailureAndSeeding_Work()
    {
        await using var library = Library.Create(await NewDatabaseAsync(exists: true), builder => builder
            .UseNpgsql(npgsql => npgsql.EnableRetryOnFailure())
            .UseAsyncSeeding((context, _, token) => context.Database.ExecuteSqlRawAsync("INSERT INTO \"Books\" (\"Title\", \"Genre\") VALUES ('Seed', 'novel')", token)));
        await library.Database.MigrateAsync();
        Assert.Equal(Genre.Novel, (await library.Books.SingleAsync()).Genre);
        PoolAssert.NothingLeased(library);
    }

    [Fact]
    public async Task SetConnectionStringAfterwards_MovesTheContext()
    {
        var (from, to) = (await NewDatabaseAsync(exists: true), await NewDatabaseAsync(exists: true));
        await using var library = Library.Create(from);
        await library.Database.MigrateAsync();
        library.Database.SetConnectionString(to);
        await library.Database.MigrateAsync();
        Assert.Equal(new NpgsqlConnectionStringBuilder(to).Database, await library.Database.SqlQuery<string>($"SELECT current_database() AS \"Value\"").SingleAsync());
        await using var target = Library.Create(to);
        Assert.Same(target.Database.GetTransactionPool(), library.Database.GetTransactionPool());
    }

    private static Task MigrateAsync(DbContext context, bool isAsync) => isAsync ? context.Database.MigrateAsync() : Task.Run(() => context.Database.Migrate());

    private async Task<string> NewDatabaseAsync(bool exists)
        => exists
            ? await database.Server.CreateDatabaseAsync()
            : new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = $"absent_{Guid.NewGuid():N}" }.ConnectionString;

    private sealed class CommandTimeouts : DbCommandInterceptor
    {
        public List<int> Seen { get; } = [];

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            Seen.Add(command.CommandTimeout);
            return new(result);
        }

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            Seen.Add(command.CommandTimeout);
            return new(result);
        }
    }
}
