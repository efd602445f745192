using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Tests.Settings;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfPooling.EntityFrameworkCore.Tests;

#pragma warning disable EF1001 // The provider's own creator is what people derive from.

/// <summary>What an application's own database creator may meet and do: open connections, exceptions, seeding, casts.</summary>
public sealed class ReplacedServiceCreatorTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Creator_CanBeCastAsEfCoresCreatorsCan(bool isPooled)
    {
        await using var library = Create<WithOwnTables>(Absent(), isPooled);
        var creator = (RelationalDatabaseCreator)library.GetService<IDatabaseCreator>();
        await creator.CreateAsync();
        Assert.False(await creator.HasTablesAsync());
        creator.CreateTables();
        Assert.True(creator.HasTables());
        await creator.DeleteAsync();
        Assert.False(creator.Exists());
    }

    [Theory]
    [InlineData(false, false, false)]
    [InlineData(true, false, false)]
    [InlineData(true, false, true)]
    [InlineData(false, true, false)]
    [InlineData(true, true, false)]
    [InlineData(true, true, true)]
    public async Task OpenConnection_CreatesAndDropsAsWell(bool isPooled, bool isWhole, bool isAsync)
    {
        await using var library = isWhole ? Create<WithOwnWhole>(await database.Server.CreateDatabaseAsync(), isPooled) : Create<WithOwnTables>(await database.Server.CreateDatabaseAsync(), isPooled);
        if (isPooled)
        {
            await library.Database.OpenConnectionAsync(); // Without a pool, the provider's creator opens it a second time, which fails, if the model has an enum.
        }

        Assert.True(isAsync ? await library.Database.EnsureCreatedAsync() : library.Database.EnsureCreated());
        Assert.Equal("own", await CommentAsync(library));
        await library.Database.OpenConnectionAsync();
        Assert.False(isAsync ? await library.Database.EnsureCreatedAsync() : library.Database.EnsureCreated());
        Assert.True(isAsync ? await library.Database.EnsureDeletedAsync() : library.Database.EnsureDeleted());
        await library.Database.CloseConnectionAsync();
        await library.Database.CloseConnectionAsync();
        Assert.False(await library.Database.CanConnectAsync());
        Assert.True(isAsync ? await library.Database.EnsureCreatedAsync() : library.Database.EnsureCreated());
        Assert.Equal("own", await CommentAsync(library));
        Assert.True(await library.Database.EnsureDeletedAsync());
    }

    [Fact]
    public async Task OpenTransaction_IsNotLostSilently_AndTheDatabaseStays()
    {
        await using var library = Create<WithOwnTables>(await database.Server.CreateDatabaseAsync(), isPooled: true);
        await using var transaction = await library.Database.BeginTransactionAsync();
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => library.Database.EnsureDeletedAsync());
        Assert.Contains("Commit or roll back the transaction", error.Message, StringComparison.Ordinal);
        Assert.Equal(1, await library.Database.SqlQuery<int>($"SELECT 1 AS \"Value\"").SingleAsync());
        await transaction.CommitAsync();
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task EnsureCreated_ThatFindsEverythingThere_OpensAndReplacesNothing(bool isWhole, bool isAsync)
    {
        var connectionString = await database.Server.CreateDatabaseAsync();
        await using var library = isWhole ? Create<WithOwnWhole>(connectionString, isPooled: true, NoShuffle) : Create<WithOwnTables>(connectionString, isPooled: true, NoShuffle);
        Assert.True(await library.Database.EnsureCreatedAsync());
        await library.Books.CountAsync();
        var before = library.Database.GetTransactionPool().GetSnapshot();
        for (var i = 0; i < 3; i++)
        {
            Assert.False(isAsync ? await library.Database.EnsureCreatedAsync() : library.Database.EnsureCreated());
        }

        var after = library.Database.GetTransactionPool().GetSnapshot();
        Assert.Equal((before.Opened, before.Generation), (after.Opened, after.Generation));
        await library.Database.EnsureDeletedAsync();

        static void NoShuffle(TransactionPoolingOptions pool) => pool.Shuffle = false;
    }

    [Theory]
    [InlineData(Seeds.ByOptions, false, false)]
    [InlineData(Seeds.ByOptions, false, true)]
    [InlineData(Seeds.ByOptions, true, false)]
    [InlineData(Seeds.ByOptions, true, true)]
    [InlineData(Seeds.WithTables, false, false)]
    [InlineData(Seeds.WithTables, false, true)]
    [InlineData(Seeds.AfterAll, true, false)]
    [InlineData(Seeds.AfterAll, true, true)]
    public async Task Seeds_AreWrittenWithTheDeclaredSettings(Seeds seeds, bool isWhole, bool isAsync)
    {
        foreach (var connectionString in new[] { Absent(), await database.Server.CreateDatabaseAsync() })
        {
            await using var library = isWhole
                ? Create<WithOwnWhole>(connectionString, isPooled: true, Declare, UseSeeding)
                : Create<WithOwnTables>(connectionString, isPooled: true, Declare, UseSeeding);
            ((IOwn)library.GetService<IRelationalDatabaseCreator>()).Act = seeds == Seeds.ByOptions ? () => { } : () => Seed(library);
            Assert.True(isAsync ? await library.Database.EnsureCreatedAsync() : library.Database.EnsureCreated());
            var book = await library.Books.SingleAsync();
            Assert.Equal(("tenant", Genre.Poetry), (book.Title, book.Genre));
            Assert.Equal("own", await CommentAsync(library));
            Assert.False(isAsync ? await library.Database.EnsureCreatedAsync() : library.Database.EnsureCreated());
            Assert.True(await library.Database.EnsureDeletedAsync());
        }

        static void Declare(TransactionPoolingOptions pool) => pool.SessionSetting("app.tenant", "tenant");

        void UseSeeding(DbContextOptionsBuilder<Library> builder)
        {
            if (seeds == Seeds.ByOptions)
            {
                builder.UseSeeding((context, isNew) => SeedNew(context, isNew)).UseAsyncSeeding((context, isNew, _) =>
                {
                    SeedNew(context, isNew);
                    return Task.CompletedTask;
                });
            }
        }

        static void SeedNew(DbContext context, bool isNew)
        {
            if (isNew)
            {
                Seed(context);
            }
        }

        static void Seed(DbContext context) => context.Database.ExecuteSqlRaw("INSERT INTO \"Books\" (\"Title\", \"Genre\") VALUES (coalesce(current_setting('app.tenant', true), 'nobody'), 'poetry')");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task CreatorThatOpensAndThrows_ThrowsItself_AndTheContextHasThePool(bool isWhole, bool isAsync)
    {
        var connectionString = await database.Server.CreateDatabaseAsync();
        await using var library = isWhole ? Create<WithOwnWhole>(connectionString, isPooled: true) : Create<WithOwnTables>(connectionString, isPooled: true);
        var creator = (IOwn)library.GetService<IRelationalDatabaseCreator>();
        creator.Act = () =>
        {
            library.Database.BeginTransaction();
            throw new IntendedException();
        };
        await Assert.ThrowsAsync<IntendedException>(() => isAsync ? library.Database.EnsureCreatedAsync() : Task.Run(() => library.Database.EnsureCreated()));
        Assert.IsAssignableFrom<LogicalConnection>(library.Database.GetDbConnection());
        Assert.Null(library.Database.CurrentTransaction);
        Assert.Equal(0, await library.Books.CountAsync());
        PoolAssert.NothingLeased(library);
    }

    private static Task<string> CommentAsync(Library library) => library.Database.SqlQuery<string>($"SELECT obj_description('\"Books\"'::regclass) AS \"Value\"").SingleAsync();

    private static Library Create<TCreator>(
        string connectionString, bool isPooled, Action<TransactionPoolingOptions>? pool = null, Action<DbContextOptionsBuilder<Library>>? more = null)
        where TCreator : IRelationalDatabaseCreator
    {
        var builder = new DbContextOptionsBuilder<Library>().UseNpgsql(connectionString, npgsql => npgsql.MapEnum<Genre>("genre")).ReplaceService<IRelationalDatabaseCreator, TCreator>();
        builder.EnableServiceProviderCaching(false); // EF Core warns of more than twenty in a process.
        more?.Invoke(builder);
        return new Library((isPooled ? builder.UseTransactionPooling(pool) : builder).Options);
    }

    private string Absent() => new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = $"creator_{Guid.NewGuid():N}" }.ConnectionString;

    public enum Seeds
    {
        /// <summary>UseSeeding and UseAsyncSeeding.</summary>
        ByOptions,

        /// <summary>The creator, once it has created the tables.</summary>
        WithTables,

        /// <summary>The creator, once everything is there.</summary>
        AfterAll,
    }

    private interface IOwn
    {
        Action Act { get; set; }
    }

    /// <summary>Leaves EnsureCreated as it is.</summary>
    private sealed class WithOwnTables(RelationalDatabaseCreatorDependencies dependencies, INpgsqlRelationalConnection connection, IRawSqlCommandBuilder rawSql)
        : NpgsqlDatabaseCreator(dependencies, connection, rawSql), IOwn
    {
        public Action Act { get; set; } = () => { };

        public override void CreateTables()
        {
            base.CreateTables();
            Dependencies.CurrentContext.Context.Database.ExecuteSql($"COMMENT ON TABLE \"Books\" IS 'own'");
            Act();
        }

        public override async Task CreateTablesAsync(CancellationToken cancellationToken = default)
        {
            await base.CreateTablesAsync(cancellationToken);
            await Dependencies.CurrentContext.Context.Database.ExecuteSqlAsync($"COMMENT ON TABLE \"Books\" IS 'own'", cancellationToken);
            Act();
        }
    }

    /// <summary>Does more in EnsureCreated.</summary>
    private sealed class WithOwnWhole(RelationalDatabaseCreatorDependencies dependencies, INpgsqlRelationalConnection connection, IRawSqlCommandBuilder rawSql)
        : NpgsqlDatabaseCreator(dependencies, connection, rawSql), IOwn
    {
        public Action Act { get; set; } = () => { };

        public override bool EnsureCreated() => base.EnsureCreated() && Complete();

        public override async Task<bool> EnsureCreatedAsync(CancellationToken cancellationToken = default) => await base.EnsureCreatedAsync(cancellationToken) && Complete();

        private bool Complete()
        {
            Dependencies.CurrentContext.Context.Database.ExecuteSql($"COMMENT ON TABLE \"Books\" IS 'own'");
            Act();
            return true;
        }
    }
}
