namespace EfPooling.AdoNet.Tests;

public sealed class SavepointTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Fact]
    public async Task Savepoint_UndoesWhatCameAfterIt()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        Assert.True(transaction.SupportsSavepoints);

        await connection.RunAsync("INSERT INTO item VALUES (1)");
        await transaction.SaveAsync("a");
        await connection.RunAsync("INSERT INTO item VALUES (2)");
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => connection.RunAsync("INSERT INTO item VALUES (2)"));
        await transaction.RollbackAsync("a");
        await transaction.SaveAsync("b");
        await connection.RunAsync("INSERT INTO item VALUES (3)");
        await transaction.ReleaseAsync("b");
        await transaction.CommitAsync();

        Assert.Equal("1,3", await connection.AskAsync<string>("SELECT string_agg(id::text, ',' ORDER BY id) FROM item"));
    }

    [Fact]
    public void Savepoint_Synchronously_UndoesWhatCameAfterIt()
    {
        var pool = CreatePool();
        using var connection = pool.OpenConnection();
        using var transaction = connection.BeginTransaction();

        transaction.Save("a");
        connection.Run("INSERT INTO item VALUES (2)");
        transaction.Rollback("a");
        transaction.Save("b");
        connection.Run("INSERT INTO item VALUES (3)");
        transaction.Release("b");
        transaction.Commit();

        Assert.Equal(3, connection.Ask<int>("SELECT id FROM item"));
    }

    [Fact]
    public async Task Savepoint_ThatDoesNotExist_SaysWhatTheServerSays()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();

        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => transaction.RollbackAsync("nothing"));
        Assert.Throws<Npgsql.PostgresException>(() => transaction.Release("nothing"));

        await transaction.RollbackAsync();
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }
}
