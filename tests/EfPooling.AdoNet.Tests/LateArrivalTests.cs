using System.Data;
using System.Data.Common;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What arrives on something that was closed meanwhile closes itself: whoever awaited it has given up. The base class sees to it that nothing stays leased.</summary>
public sealed class LateArrivalTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Read = "SELECT id FROM late";
    private const string Write = "INSERT INTO late VALUES (2)";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS late; CREATE TABLE late (id int); INSERT INTO late VALUES (1)");
    }

    [Theory]
    [InlineData("DisposeAsync")]
    [InlineData("Dispose")]
    [InlineData("CloseAsync")]
    [InlineData("Close")]
    public async Task Reader_OfAClosedConnection_ClosesItself(string how)
    {
        var pool = CreatePool(maxPoolSize: 1);
        var connection = await pool.OpenConnectionAsync();
        await using var table = await LockAsync();
        var reading = ReadAsync(connection);
        await WaitForQueryAsync(pool, Read);

        await CloseAsync(connection, how);
        await table.CloseAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => reading);
        await AssertFreeAsync(pool);
    }

    [Fact]
    public async Task Reader_OfAClosedConnection_LeavesItsNextUseAlone()
    {
        var pool = CreatePool(maxPoolSize: 2);
        await using var connection = await pool.OpenConnectionAsync();
        await using var table = await LockAsync();
        var reading = ReadAsync(connection, CommandBehavior.CloseConnection);
        await WaitForQueryAsync(pool, Read);
        await connection.CloseAsync();
        await connection.OpenAsync();

        await table.CloseAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => reading);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task Reader_ReadSynchronously_OfAClosedConnection_ClosesItself()
    {
        var pool = CreatePool(maxPoolSize: 1);
        var connection = await pool.OpenConnectionAsync();
        await using var table = await LockAsync();
        var command = connection.CreateCommand();
        command.CommandText = Read;
        var reading = Task.Factory.StartNew(command.ExecuteReader, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await WaitForQueryAsync(pool, Read);

        await connection.DisposeAsync();
        await table.CloseAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => reading);
        await AssertFreeAsync(pool);
    }

    [Fact]
    public async Task Reader_OfABatch_OfAClosedConnection_ClosesItself()
    {
        var pool = CreatePool(maxPoolSize: 1);
        var connection = await pool.OpenConnectionAsync();
        await using var table = await LockAsync();
        var batch = connection.CreateBatch();
        var command = batch.CreateBatchCommand();
        command.CommandText = Read;
        batch.BatchCommands.Add(command);
        var reading = batch.ExecuteReaderAsync();
        await WaitForQueryAsync(pool, Read);

        await connection.DisposeAsync();
        await table.CloseAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => reading);
        await AssertFreeAsync(pool);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reader_OfADisposedTransaction_ClosesItself_AndRollsBack(bool isAsync)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("CREATE TABLE uncommitted (id int)");
        await using var table = await LockAsync();
        var reading = ReadAsync(connection);
        await WaitForQueryAsync(pool, Read);

        await DisposeAsync(transaction, isAsync);
        await table.CloseAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => reading);
        Assert.True(await connection.AskAsync<bool>("SELECT to_regclass('uncommitted') IS NULL"));
        await AssertFreeAsync(pool);
    }

    [Fact]
    public async Task Reader_BesideTheGate_OfAClosedConnection_ClosesItself()
    {
        var pool = CreatePool(maxPoolSize: 2, configure: options => options.NestedCommands = NestedCommandMode.OwnServerConnection);
        var connection = await pool.OpenConnectionAsync();
        var outer = await connection.ReadAsync("SELECT generate_series(1, 3)");
        await using var table = await LockAsync();
        var reading = ReadAsync(connection);
        await WaitForQueryAsync(pool, Read);

        await connection.DisposeAsync();
        await table.CloseAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => reading);
        Assert.True(outer.IsClosed);
        await AssertFreeAsync(pool);
    }

    [Theory]
    [InlineData(MultiplexingMode.Auto)]
    [InlineData(MultiplexingMode.Off)]
    public async Task Statement_ThatWaitsForAServerConnection_OfAClosedConnection_IsNotSent(MultiplexingMode multiplexing)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.Multiplexing = multiplexing);
        await using var other = await pool.OpenConnectionAsync();
        var (reader, writer) = (await pool.OpenConnectionAsync(), await pool.OpenConnectionAsync());
        var occupying = await other.ReadAsync("SELECT generate_series(1, 3)");
        var (reading, writing) = (ReadAsync(reader), writer.RunAsync(Write));
        Assert.False(reading.IsCompleted || writing.IsCompleted);

        await reader.DisposeAsync();
        await writer.DisposeAsync();
        await occupying.DisposeAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => reading);
        await Assert.ThrowsAsync<InvalidOperationException>(() => writing);
        Assert.Equal(1, await other.AskAsync<long>("SELECT count(*) FROM late"));
        await AssertFreeAsync(pool);
    }

    [Fact]
    public async Task Session_ThatWaitsForAServerConnection_OfAClosedConnection_EndsItself()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var other = await pool.OpenConnectionAsync();
        var connection = await pool.OpenConnectionAsync();
        var occupying = await other.ReadAsync("SELECT generate_series(1, 3)");
        var session = connection.LeaseSessionAsync("late").AsTask();
        Assert.False(session.IsCompleted);

        await connection.DisposeAsync();
        await occupying.DisposeAsync();

        await Record.ExceptionAsync(() => session);
        await AssertFreeAsync(pool);
    }

    [Fact]
    public async Task Subscription_OfAClosedPool_IsRefused()
    {
        var pool = CreatePool();
        await pool.CloseAsync(TimeSpan.Zero);

        await Assert.ThrowsAsync<PoolClosedException>(() => Subscriber.BeginAsync(pool, "late"));
    }

    // Until it is closed.
    private async Task<NpgsqlConnection> LockAsync()
    {
        var connection = await OpenPlainAsync();
        await connection.RunAsync("BEGIN; LOCK TABLE late");
        return connection;
    }

    private static Task<DbDataReader> ReadAsync(LogicalConnection connection, CommandBehavior behavior = default)
    {
        var command = connection.CreateCommand();
        command.CommandText = Read;
        return command.ExecuteReaderAsync(behavior);
    }

    private static async Task CloseAsync(LogicalConnection connection, string how)
    {
        switch (how)
        {
            case "DisposeAsync":
                await connection.DisposeAsync();
                break;
            case "Dispose":
                connection.Dispose();
                break;
            case "CloseAsync":
                await connection.CloseAsync();
                break;
            default:
                connection.Close();
                break;
        }
    }

    private static async Task DisposeAsync(LogicalTransaction transaction, bool isAsync)
    {
        if (isAsync)
        {
            await transaction.DisposeAsync();
        }
        else
        {
            transaction.Dispose();
        }
    }

    private static async Task AssertFreeAsync(TransactionPoolingDataSource pool)
    {
        Assert.Equal(0, pool.GetSnapshot().InUse);
        await using var next = await pool.OpenConnectionAsync();
        Assert.Equal(1, await next.AskAsync<int>("SELECT 1"));
    }
}
