using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

public sealed class TransactionTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Fact]
    public async Task Begin_TakesNothing_AndTheFirstCommandBringsBeginAlong()
    {
        var pool = CreateUnshuffledPool();
        await using var connection = await pool.OpenConnectionAsync();

        await using var transaction = await connection.BeginTransactionAsync();
        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal("idle", Assert.Single(await BackendsOfAsync(pool)).State);

        await connection.RunAsync("INSERT INTO item VALUES (1)");
        Assert.Equal(LeaseScope.Transaction, Assert.Single(pool.GetOldestLeases()).Scope);
        Assert.Equal("idle in transaction", Assert.Single(await BackendsOfAsync(pool)).State);

        await transaction.CommitAsync();
        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(1L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TransactionWithoutACommand_NeverReachesTheServer(bool commit)
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        var granted = pool.GetSnapshot().LeasesGranted;

        await using (var asynchronous = await connection.BeginTransactionAsync())
        {
            await (commit ? asynchronous.CommitAsync() : asynchronous.RollbackAsync());
        }

        using (var synchronous = connection.BeginTransaction())
        {
            if (commit)
            {
                synchronous.Commit();
            }
        }

        Assert.Equal(granted, pool.GetSnapshot().LeasesGranted);
    }

    [Fact]
    public void Transaction_Synchronously_CommitsAndRollsBack()
    {
        var pool = CreatePool(maxPoolSize: 1);
        using var connection = pool.OpenConnection();
        using (var transaction = connection.BeginTransaction())
        {
            connection.Run("INSERT INTO item VALUES (1)");
            transaction.Commit();
        }

        using (var transaction = connection.BeginTransaction())
        {
            connection.Run("INSERT INTO item VALUES (2)");
            transaction.Rollback();
        }

        using (connection.BeginTransaction())
        {
            connection.Run("INSERT INTO item VALUES (3)");
        }

        Assert.Equal(1L, connection.Ask<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Commands_InATransaction_UseOneServerConnection()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        var first = await connection.AskAsync<int>(Sql.BackendId);
        for (var i = 0; i < 5; i++)
        {
            Assert.NotEqual(first, await other.AskAsync<int>(Sql.BackendId));
            Assert.Equal(first, await connection.AskAsync<int>(Sql.BackendId));
        }

        await using (var reader = await connection.ReadAsync(Sql.BackendId))
        {
            Assert.True(await reader.ReadAsync());
            Assert.Equal(first, reader.GetInt32(0));
        }

        Assert.Equal(LeaseScope.Transaction, Assert.Single(pool.GetOldestLeases()).Scope);
    }

    [Fact]
    public async Task Rollback_UndoesTheWork()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("INSERT INTO item VALUES (1)");

        await transaction.RollbackAsync();

        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Begin_WhileAReaderIsOpen_IsRefused_AndTheReaderGoesOn()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync("SELECT 1");

        await Assert.ThrowsAsync<ConcurrentUseException>(async () => await connection.BeginTransactionAsync());

        Assert.True(await reader.ReadAsync());
    }

    [Fact]
    public async Task Begin_InATransaction_IsRefused_AndNamesTheRemedy()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        var error = Assert.Throws<InvalidOperationException>(() => connection.BeginTransaction());

        Assert.Contains("savepoint", error.Message, StringComparison.Ordinal);
    }
}
