using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfPooling.EntityFrameworkCore.Tests;

#pragma warning disable EF1001 // The provider's own classes are what people derive from when they replace these services.

/// <summary>An application's own database creator or migrator does the same with a pool as without one.</summary>
public sealed class ReplacedServiceTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task OwnDatabaseCreator_CreatesAndDrops(bool isPooled, bool isAsync)
    {
        await using var library = await CreateAsync(isPooled, builder => builder.ReplaceService<IRelationalDatabaseCreator, OwnCreator>(), exists: false);
        for (var i = 0; i < 2; i++)
        {
            Assert.True(isAsync ? await library.Database.EnsureCreatedAsync() : library.Database.EnsureCreated());
            Assert.True(await library.Database.CanConnectAsync());
            Assert.False(isAsync ? await library.Database.EnsureCreatedAsync() : library.Database.EnsureCreated());
            await UseAsync(library);
            Assert.Equal("own", await library.Database.SqlQuery<string>($"SELECT obj_description('\"Books\"'::regclass) AS \"Value\"").SingleAsync());
            Assert.True(isAsync ? await library.Database.EnsureDeletedAsync() : library.Database.EnsureDeleted());
        }

        Assert.IsType<OwnCreator>(library.GetService<IRelationalDatabaseCreator>());
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task OwnDatabaseCreator_OneByOne(bool isPooled, bool isAsync)
    {
        await using var library = await CreateAsync(isPooled, builder => builder.ReplaceService<IRelationalDatabaseCreator, OwnCreator>(), exists: false);
        var creator = (IRelationalDatabaseCreator)library.GetService<IDatabaseCreator>();
        if (isAsync)
        {
            await creator.CreateAsync();
            Assert.False(await creator.HasTablesAsync());
            await creator.CreateTablesAsync();
            await UseAsync(library);
            await creator.DeleteAsync();
            Assert.False(await creator.ExistsAsync());
        }
        else
        {
            creator.Create();
            Assert.False(creator.HasTables());
            creator.CreateTables();
            await UseAsync(library);
            creator.Delete();
            Assert.False(creator.Exists());
        }
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task OwnMigrator_Migrates(bool isPooled, bool isAsync)
    {
        await using var library = await CreateAsync(isPooled, builder => builder.ReplaceService<IMigrator, OwnMigrator>(), exists: true);
        await library.Database.SqlQuery<int>($"SELECT 1 AS \"Value\"").SingleAsync(); // A pool knows the types before there is the new one.
        if (isAsync)
        {
            await library.Database.MigrateAsync();
        }
        else
        {
            library.Database.Migrate();
        }

        if (!isPooled)
        {
            await library.Database.OpenConnectionAsync();
            await ((NpgsqlConnection)library.Database.GetDbConnection()).ReloadTypesAsync(); // Without a pool, nobody learns of types that raw SQL has created.
            await library.Database.CloseConnectionAsync();
        }

        await UseAsync(library);
        Assert.Equal(1, Assert.IsType<OwnMigrator>(library.GetService<IMigrator>()).Migrations);
        Assert.Empty(await library.Database.GetPendingMigrationsAsync());
    }

    [Fact]
    public async Task OwnDatabaseCreator_ThatIsCalledItself_SaysWhatToCall_BeforeAnythingIsCreated()
    {
        await using var library = await CreateAsync(isPooled: true, builder => builder.ReplaceService<IRelationalDatabaseCreator, OwnCreator>(), exists: false);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => library.GetService<IRelationalDatabaseCreator>().CreateAsync());
        Assert.Contains("call it through context.Database", error.ToString(), StringComparison.Ordinal);
        Assert.False(await library.Database.CanConnectAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TypesOfAMigrationInATransaction_AreKnownOnceTheConnectionIsClosed(bool isAsync)
    {
        await using var library = await CreateAsync(isPooled: true, _ => { }, exists: true);
        await library.Database.OpenConnectionAsync();
        await library.Database.SqlQuery<int>($"SELECT 1 AS \"Value\"").SingleAsync();
        await using (var transaction = await library.Database.BeginTransactionAsync())
        {
            await library.GetService<IRelationalDatabaseCreator>().CreateTablesAsync();
            await transaction.CommitAsync();
        }

        if (isAsync)
        {
            await library.Database.CloseConnectionAsync();
        }
        else
        {
            library.Database.CloseConnection();
        }

        await UseAsync(library);
    }

    [Fact]
    public async Task CastOfAPooledConnection_SaysWhatItIs_AndWhatToCall()
    {
        await using var library = await CreateAsync(isPooled: true, _ => { }, exists: true);
        var error = Assert.Throws<InvalidCastException>(() => (NpgsqlConnection)library.Database.GetDbConnection());
        Assert.Equal("Unable to cast object of type 'LogicalConnection_OnlyLeaseSessionAsyncGivesAn.NpgsqlConnection' to type 'Npgsql.NpgsqlConnection'.", error.Message);
    }

    private static async Task UseAsync(Library library)
    {
        library.ChangeTracker.Clear();
        library.Add(new Book { Title = "Faust", Genre = Genre.Poetry });
        await library.SaveChangesAsync();
        Assert.Equal(1, await library.Books.CountAsync(book => book.Genre == Genre.Poetry));
    }

    private async Task<Library> CreateAsync(bool isPooled, Action<DbContextOptionsBuilder<Library>> replace, bool exists)
    {
        var connectionString = exists
            ? await database.Server.CreateDatabaseAsync()
            : new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = $"own_{Guid.NewGuid():N}" }.ConnectionString;
        var builder = new DbContextOptionsBuilder<Library>().UseNpgsql(connectionString, npgsql => npgsql.MapEnum<Genre>("genre"))
            .ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning));
        replace(builder);
        return new Library((isPooled ? builder.UseTransactionPooling() : builder).Options);
    }

    private sealed class OwnCreator(
        RelationalDatabaseCreatorDependencies dependencies, INpgsqlRelationalConnection connection, IRawSqlCommandBuilder rawSql)
        : NpgsqlDatabaseCreator(dependencies, connection, rawSql)
    {
        public override bool EnsureCreated() => base.EnsureCreated() && Comment() == -1;

        public override async Task<bool> EnsureCreatedAsync(CancellationToken cancellationToken = default)
            => await base.EnsureCreatedAsync(cancellationToken) && Comment() == -1;

        private int Comment() => Dependencies.CurrentContext.Context.Database.ExecuteSql($"COMMENT ON TABLE \"Books\" IS 'own'");
    }

#pragma warning disable CA1812 // EF Core makes it.
    private sealed class OwnMigrator(
        IMigrationsAssembly migrationsAssembly,
        IHistoryRepository historyRepository,
        IDatabaseCreator databaseCreator,
        IMigrationsSqlGenerator migrationsSqlGenerator,
        IRawSqlCommandBuilder rawSqlCommandBuilder,
        IMigrationCommandExecutor migrationCommandExecutor,
        IRelationalConnection connection,
        ISqlGenerationHelper sqlGenerationHelper,
        ICurrentDbContext currentContext,
        IModelRuntimeInitializer modelRuntimeInitializer,
        IDiagnosticsLogger<DbLoggerCategory.Migrations> logger,
        IRelationalCommandDiagnosticsLogger commandLogger,
        IDatabaseProvider databaseProvider,
        IMigrationsModelDiffer migrationsModelDiffer,
        IDesignTimeModel designTimeModel,
        IDbContextOptions contextOptions,
        IExecutionStrategy executionStrategy)
        : NpgsqlMigrator(migrationsAssembly, historyRepository, databaseCreator, migrationsSqlGenerator, rawSqlCommandBuilder, migrationCommandExecutor, connection, sqlGenerationHelper, currentContext, modelRuntimeInitializer, logger, commandLogger, databaseProvider, migrationsModelDiffer, designTimeModel, contextOptions, executionStrategy)
    {
        public int Migrations { get; private set; }

        public override void Migrate(string? targetMigration)
        {
            Migrations++;
            base.Migrate(targetMigration);
        }

        public override Task MigrateAsync(string? targetMigration, CancellationToken cancellationToken = default)
        {
            Migrations++;
            return base.MigrateAsync(targetMigration, cancellationToken);
        }
    }
}
