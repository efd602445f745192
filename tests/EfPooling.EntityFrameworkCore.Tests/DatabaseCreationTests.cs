using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

public sealed class DatabaseCreationTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task EnsureCreatedAndDeleted_WithWarmConnections_WorkAgainAndAgain(bool isAsync)
    {
        var connectionString = Absent();
        for (var i = 0; i < 3; i++)
        {
            await using var shop = Create(connectionString);
            Assert.False(await shop.Database.CanConnectAsync());
            Assert.True(isAsync ? await shop.Database.EnsureCreatedAsync() : shop.Database.EnsureCreated());
            Assert.False(isAsync ? await shop.Database.EnsureCreatedAsync() : shop.Database.EnsureCreated());
            shop.Add(new Customer { Name = "created" });
            Assert.Equal(1, await shop.SaveChangesAsync());
            Assert.True(isAsync ? await shop.Database.CanConnectAsync() : shop.Database.CanConnect());
            await using var other = Create(connectionString);
            Assert.Equal(1, await other.Customers.CountAsync());
            Assert.True(isAsync ? await shop.Database.EnsureDeletedAsync() : shop.Database.EnsureDeleted());
            Assert.False(isAsync ? await shop.Database.EnsureDeletedAsync() : shop.Database.EnsureDeleted());
            Assert.False(isAsync ? await other.Database.CanConnectAsync() : other.Database.CanConnect());
        }
    }

    [Fact]
    public async Task ContextOnATransactionPoolingDataSource_CreatesAndDrops()
    {
        await using var pool = TransactionPoolingDataSource.Create(Absent());
        await AssertCreatesAndDropsAsync(builder => builder.UseNpgsql(pool));
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task ContextOnAnNpgsqlDataSource_CreatesAndDrops()
    {
        await using var dataSource = NpgsqlDataSource.Create(Absent());
        await AssertCreatesAndDropsAsync(builder => builder.UseNpgsql(dataSource));
    }

    [Fact]
    public async Task ContextOnItsOwnLogicalConnection_CreatesAndDrops()
    {
        await using var pool = TransactionPoolingDataSource.Create(Absent());
        await using var connection = pool.CreateConnection();
        await AssertCreatesAndDropsAsync(builder => builder.UseNpgsql(connection));
    }

    [Fact]
    public async Task CanConnect_IsFalse_WhenTheServerRefuses_AndTrueOnceItDoesNot()
    {
        var role = $"late_{Guid.NewGuid():N}";
        var connectionString = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = role, Password = "late" }.ConnectionString;
        await using var shop = Create(connectionString);
        Assert.False(await shop.Database.CanConnectAsync());
        await database.ScalarAsync($"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD 'late'; SELECT 1");
        shop.Database.GetTransactionPool().Clear(); // Ends the pause after a failed login.
        Assert.True(await shop.Database.CanConnectAsync());
        Assert.True(shop.Database.CanConnect());
    }

    [Fact]
    public async Task HasTablesAndCreateScript_AreAnswered()
    {
        await using var shop = Create(database.For("has tables"));
        Assert.True(await shop.GetService<IRelationalDatabaseCreator>().HasTablesAsync());
        Assert.True(shop.GetService<IRelationalDatabaseCreator>().HasTables());
        Assert.Contains("CREATE TABLE \"Customers\"", shop.Database.GenerateCreateScript(), StringComparison.Ordinal);
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task CreateAndCreateTables_CanBeCalledOneByOne()
    {
        await using var shop = Create(Absent());
        var creator = shop.GetService<IRelationalDatabaseCreator>();
        await creator.CreateAsync();
        Assert.True(await creator.ExistsAsync());
        Assert.False(await creator.HasTablesAsync());
        await creator.CreateTablesAsync();
        Assert.Equal(0, await shop.Customers.CountAsync());
        creator.Delete();
        creator.Create();
        creator.CreateTables();
        Assert.Equal(0, await shop.Customers.CountAsync());
        await creator.DeleteAsync();
        Assert.False(creator.Exists());
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task OpenConnection_CreatesAndDropsAsWell(bool isPooled, bool isAsync)
    {
        var connectionString = await database.Server.CreateDatabaseAsync();
        await using var shop = isPooled ? Create(connectionString) : new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(connectionString).Options);
        await shop.Database.OpenConnectionAsync();
        await using (var transaction = await shop.Database.BeginTransactionAsync())
        {
            shop.GetService<IRelationalDatabaseCreator>().CreateTables();
            Assert.Equal(0, await shop.Customers.CountAsync());
        }

        Assert.True(isAsync ? await shop.Database.EnsureCreatedAsync() : shop.Database.EnsureCreated());
        Assert.False(isAsync ? await shop.Database.EnsureCreatedAsync() : shop.Database.EnsureCreated());
        shop.Add(new Customer { Name = "open" });
        await shop.SaveChangesAsync();
        Assert.Equal(System.Data.ConnectionState.Open, shop.Database.GetDbConnection().State);
        Assert.True(isAsync ? await shop.Database.EnsureDeletedAsync() : shop.Database.EnsureDeleted());
        await shop.Database.CloseConnectionAsync();
        Assert.False(await shop.Database.CanConnectAsync());
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(2, true)]
    [InlineData(2, false)]
    public async Task EnsureDeleted_LeavesNoDeadConnectionInAnyPool(int kept, bool isAsync)
    {
        var connectionString = new NpgsqlConnectionStringBuilder(Absent()) { ApplicationName = "beside" }.ConnectionString;
        await using var shop = Create(connectionString);
        await using var other = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(connectionString).UseTransactionPooling(pool => (pool.MinPoolSize, pool.MaxPoolSize) = (kept, 2)).Options);
        await shop.Database.EnsureCreatedAsync();
        await other.Customers.CountAsync();
        await AskBesideAsync(connectionString);
        Assert.True(isAsync ? await shop.Database.EnsureDeletedAsync() : shop.Database.EnsureDeleted());
        await shop.Database.EnsureCreatedAsync();
        await AskBesideAsync(connectionString);
        Assert.Equal(0, await other.Customers.CountAsync());
        await shop.Database.EnsureDeletedAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task EnsureCreated_ThatFindsEverythingThere_OpensAndReplacesNothing(bool isAsync)
    {
        await using var shop = Create(database.For($"nothing to create {isAsync}"), pool => pool.Shuffle = false);
        await shop.Customers.CountAsync();
        var before = shop.Database.GetTransactionPool().GetSnapshot();
        for (var i = 0; i < 3; i++)
        {
            Assert.False(isAsync ? await shop.Database.EnsureCreatedAsync() : shop.Database.EnsureCreated());
        }

        var after = shop.Database.GetTransactionPool().GetSnapshot();
        Assert.Equal((before.Opened, before.Generation), (after.Opened, after.Generation));
        Assert.Empty(after.Retired.Keys.Except([Core.RetireReason.Shuffled]));
    }

    private static async Task AskBesideAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT 1", connection);
        Assert.Equal(1, await command.ExecuteScalarAsync());
    }

    private async Task AssertCreatesAndDropsAsync(Action<DbContextOptionsBuilder<Shop>> useNpgsql)
    {
        var builder = new DbContextOptionsBuilder<Shop>().UseTransactionPooling();
        useNpgsql(builder);
        await using var shop = new Shop(builder.Options);
        Assert.True(await shop.Database.EnsureCreatedAsync());
        shop.Add(new Customer { Name = "created" });
        await shop.SaveChangesAsync();
        Assert.Equal(1, await shop.Customers.CountAsync());
        Assert.IsAssignableFrom<LogicalConnection>(shop.Database.GetDbConnection());
        Assert.True(await shop.Database.EnsureDeletedAsync());
        Assert.False(await shop.Database.CanConnectAsync());
        Assert.Equal(0L, await database.ScalarAsync($"SELECT count(*) FROM pg_database WHERE datname = '{shop.Database.GetDbConnection().Database}'"));
    }

    private static Shop Create(string connectionString, Action<TransactionPoolingOptions>? configure = null) => new(new DbContextOptionsBuilder<Shop>().UseNpgsql(connectionString).UseTransactionPooling(configure).Options);

    private string Absent() => new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = $"absent_{Guid.NewGuid():N}" }.ConnectionString;
}
