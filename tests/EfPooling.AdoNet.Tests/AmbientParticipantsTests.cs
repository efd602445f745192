using System.Transactions;
using EfPooling.Dev;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A pool and others in one TransactionScope, each with a server connection of its own.</summary>
public sealed class AmbientParticipantsTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PlainConnection_OnAServerWithoutPreparedTransactions_AbortsAndSaysWhoTakesPart(bool plainComesFirst)
    {
        var pool = CreatePool(configure: options => options.Name = "orders");
        var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await WriteInTurnsAsync(pool, ConnectionString, plainComesFirst);
        scope.Complete();

        var error = Assert.IsType<TwoPhaseCommitException>(Assert.Throws<TransactionAbortedException>(scope.Dispose).InnerException);
        Assert.Contains("pool 'orders'", error.Message, StringComparison.Ordinal);
        Assert.Contains("an NpgsqlConnection that is none of the pool's", error.Message, StringComparison.Ordinal);
        Assert.Contains("max_prepared_transactions is 0", error.Message, StringComparison.Ordinal);
        Assert.Null(error.InnerException); // PREPARE TRANSACTION was not even tried.
        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
        NpgsqlConnection.ClearAllPools();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ScopeThatIsNotCompleted_RollsBackWithoutAnError(bool plainComesFirst)
    {
        var pool = CreatePool();
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await WriteInTurnsAsync(pool, ConnectionString, plainComesFirst);
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
        NpgsqlConnection.ClearAllPools();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PlainConnection_OnAServerThatPreparesTransactions_CommitsTogetherWithThePool(bool plainComesFirst)
    {
        await using var server = await DevPostgres.StartAsync(new DevPostgresOptions { Settings = { ["max_prepared_transactions"] = "2" } });
        await using var pool = await CreatePoolWithItemsAsync(server);

        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await WriteInTurnsAsync(pool, server.ConnectionString, plainComesFirst);
            scope.Complete();
        }

        await using var after = await pool.OpenConnectionAsync();
        Assert.Equal(2L, await after.AskAsync<long>("SELECT count(*) FROM item"));
        NpgsqlConnection.ClearAllPools();
    }

    [Fact]
    public async Task TwoPools_AreNamedBoth()
    {
        var pools = new[] { CreatePool(configure: options => options.Name = "orders"), CreatePool(configure: options => options.Name = "stock") };
        var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        foreach (var pool in pools)
        {
            await using var connection = await pool.OpenConnectionAsync();
            await connection.RunAsync($"INSERT INTO item VALUES ({Array.IndexOf(pools, pool)})");
        }

        scope.Complete();
        var error = Assert.IsType<TwoPhaseCommitException>(Assert.Throws<TransactionAbortedException>(scope.Dispose).InnerException);
        Assert.Contains(": pool 'orders' and pool 'stock'.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TransactionWithAFailedStatement_Aborts()
    {
        var pool = CreatePool();
        var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await WriteInTurnsAsync(pool, ConnectionString, plainComesFirst: false);
        await using (var connection = await pool.OpenConnectionAsync())
        {
            await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync("SELECT 1 / 0"));
        }

        scope.Complete();
        Assert.Throws<TransactionAbortedException>(scope.Dispose);
        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
        NpgsqlConnection.ClearAllPools();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TransactionWithAFailedStatement_Aborts_OnAServerThatPreparesTransactions(bool isKilled)
    {
        await using var server = await DevPostgres.StartAsync(new DevPostgresOptions { Settings = { ["max_prepared_transactions"] = "2" } });
        await using var pool = await CreatePoolWithItemsAsync(server);

        var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await WriteInTurnsAsync(pool, server.ConnectionString, plainComesFirst: false);
        await using (var connection = await pool.OpenConnectionAsync())
        {
            if (isKilled)
            {
                Assert.True(await server.TerminateBackendAsync(await connection.AskAsync<int>(Sql.BackendId)));
            }

            await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => connection.RunAsync("SELECT 1 / 0"));
        }

        scope.Complete(); // Whoever swallowed the error believes that all is well.
        Assert.Throws<TransactionAbortedException>(scope.Dispose);
        Assert.Equal(0, pool.GetSnapshot().InUse);
        await using var after = await pool.OpenConnectionAsync();
        Assert.Equal(0L, await after.AskAsync<long>("SELECT count(*) FROM item"));
        NpgsqlConnection.ClearAllPools();
    }

    private static async Task<TransactionPoolingDataSource> CreatePoolWithItemsAsync(DevPostgresServer server)
    {
        var pool = TransactionPoolingDataSource.Create($"{server.ConnectionString};Application Name=pool");
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("CREATE TABLE item (id int)");
        return pool;
    }

    private static async Task WriteInTurnsAsync(TransactionPoolingDataSource pool, string connectionString, bool plainComesFirst)
    {
        foreach (var isPlain in new[] { plainComesFirst, !plainComesFirst })
        {
            await using var connection = isPlain ? new NpgsqlConnection(connectionString + ";Application Name=library") : (System.Data.Common.DbConnection)pool.CreateConnection();
            await connection.OpenAsync();
            await connection.RunAsync($"INSERT INTO item VALUES ({(isPlain ? 1 : 2)})");
        }
    }
}
