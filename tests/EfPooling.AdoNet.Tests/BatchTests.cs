using Npgsql;

namespace EfPooling.AdoNet.Tests;

public sealed class BatchTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Batch_RunsItsCommands_AndGivesTheServerConnectionBack(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var batch = Create(connection, "INSERT INTO item VALUES (1)", "INSERT INTO item VALUES (2), (3)");

        Assert.Equal(3, asynchronous ? await batch.ExecuteNonQueryAsync() : batch.ExecuteNonQuery());
        Assert.Equal([1, 2], batch.BatchCommands.Cast<NpgsqlBatchCommand>().Select(command => command.RecordsAffected));

        await using var asking = Create(connection, "SELECT 41", "SELECT 42");
        Assert.Equal(41, asynchronous ? await asking.ExecuteScalarAsync() : asking.ExecuteScalar());
        await using (var reader = asynchronous ? await asking.ExecuteReaderAsync() : asking.ExecuteReader())
        {
            Assert.Equal("SELECT 41; SELECT 42", Assert.Single(pool.GetOldestLeases()).Activity);
            Assert.True(await reader.ReadAsync());
            Assert.True(await reader.NextResultAsync());
            Assert.True(await reader.ReadAsync());
            Assert.Equal(42, reader.GetInt32(0));
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task Batch_ThatFails_UndoesAllOfIt_WithoutErrorBarriers()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var batch = Create(connection, "INSERT INTO item VALUES (1)", "SELECT 1/0", "INSERT INTO item VALUES (2)");

        var error = await Assert.ThrowsAsync<PostgresException>(() => batch.ExecuteNonQueryAsync());

        Assert.Equal(PostgresErrorCodes.DivisionByZero, error.SqlState);
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Batch_WithErrorBarriers_KeepsWhatSucceeded()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var batch = Create(connection, "INSERT INTO item VALUES (1)", "SELECT 1/0", "INSERT INTO item VALUES (2)");
        batch.EnableErrorBarriers = true;
        Assert.True(batch.EnableErrorBarriers);

        await Assert.ThrowsAsync<PostgresException>(() => batch.ExecuteNonQueryAsync());

        Assert.Equal(2L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task Batch_WithErrorBarriersAndSeveralErrors_ReportsThemTogether()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var batch = Create(connection, "SELECT 1/0", "INSERT INTO item VALUES (1)", "SELECT 2/0");
        batch.EnableErrorBarriers = true;

        var error = await Assert.ThrowsAsync<NpgsqlException>(() => batch.ExecuteNonQueryAsync());

        Assert.Equal(2, Assert.IsType<AggregateException>(error.InnerException).InnerExceptions.Count);
        Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Batch_InATransaction_IsPartOfIt()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using var batch = Create(connection, "INSERT INTO item VALUES (1)");
            batch.Transaction = transaction;
            Assert.Same(transaction, batch.Transaction);
            await batch.ExecuteNonQueryAsync();
        }

        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Batch_WithParametersAndAProcedure_Runs()
    {
        await PrepareDatabaseAsync("CREATE OR REPLACE PROCEDURE add_item(a int) LANGUAGE sql AS 'INSERT INTO item VALUES (a)'");
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO item VALUES ($1)") { Parameters = { new NpgsqlParameter { Value = 7 } } });
        batch.BatchCommands.Add(new NpgsqlBatchCommand("add_item") { CommandType = System.Data.CommandType.StoredProcedure, Parameters = { new NpgsqlParameter { Value = 8 } } });

        await batch.ExecuteNonQueryAsync();

        Assert.Equal(15L, await connection.AskAsync<long>("SELECT sum(id) FROM item"));
    }

    [Fact]
    public async Task Batch_IsDisposedTwice_SynchronouslyToo()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        var batch = Create(connection, "SELECT 1");
        batch.ExecuteNonQuery();
        batch.Dispose();
        batch.Dispose();
        await batch.DisposeAsync();
    }

    private static LogicalBatch Create(LogicalConnection connection, params string[] texts)
    {
        var batch = connection.CreateBatch();
        foreach (var text in texts)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(text));
        }

        return batch;
    }
}
