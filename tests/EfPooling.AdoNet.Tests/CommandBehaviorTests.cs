using System.Data;

namespace EfPooling.AdoNet.Tests;

public sealed class CommandBehaviorTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY, name text NOT NULL); INSERT INTO item SELECT i, 'n' || i FROM generate_series(1, 3) i");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CloseConnection_ClosesTheLogicalConnectionWithTheReader(bool asynchronous)
    {
        var pool = CreateUnshuffledPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT 1", connection);
        if (asynchronous)
        {
            var reader = await command.ExecuteReaderAsync(CommandBehavior.CloseConnection);
            await reader.DisposeAsync();
        }
        else
        {
            var reader = command.ExecuteReader(CommandBehavior.CloseConnection);
            reader.Close();
        }

        Assert.Equal(ConnectionState.Closed, connection.State);
        Assert.Equal((0, 1), (pool.GetSnapshot().InUse, pool.GetSnapshot().Idle));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CloseConnection_OfACommandThatFails_ClosesTheLogicalConnection(bool asynchronous)
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT 1/0", connection);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(async () =>
            _ = asynchronous ? await command.ExecuteReaderAsync(CommandBehavior.CloseConnection) : command.ExecuteReader(CommandBehavior.CloseConnection));

        Assert.Equal(ConnectionState.Closed, connection.State);
    }

    [Theory]
    [InlineData(MultiplexingMode.Auto)]
    [InlineData(MultiplexingMode.Off)]
    public async Task CloseConnection_OfAReadThatIsCancelledWhileItWaits_ClosesTheLogicalConnection(MultiplexingMode mode)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.Multiplexing = mode);
        await using var holder = await pool.OpenConnectionAsync();
        await using var held = await holder.ReadAsync("SELECT 1");
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT 1", connection);
        using var cancellation = new CancellationTokenSource();
        var reading = command.ExecuteReaderAsync(CommandBehavior.CloseConnection, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);

        Assert.Equal(ConnectionState.Closed, connection.State);
    }

    [Fact]
    public async Task CloseConnection_OfACommandThatIsRefused_LeavesTheConnectionToItsUser()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var reader = await connection.ReadAsync("SELECT 1");
        await using var command = new LogicalCommand("SELECT 2", connection);
        await Assert.ThrowsAsync<ConcurrentUseException>(() => command.ExecuteReaderAsync(CommandBehavior.CloseConnection));

        Assert.Equal(ConnectionState.Open, connection.State);
        Assert.True(await reader.ReadAsync());
    }

    [Fact]
    public async Task CloseConnection_OfACommandThatIsCancelledBeforeItsTurnOnTheConnection_LeavesTheConnectionToItsUser()
    {
        var pool = CreatePool(configure: options => options.ConcurrentUse = ConcurrentUseMode.Serialize);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var slow = connection.AskAsync<int>("SELECT 1 FROM pg_sleep(0.2)");
        await using var command = new LogicalCommand("SELECT 2", connection);
        using var cancellation = new CancellationTokenSource();
        var queued = command.ExecuteReaderAsync(CommandBehavior.CloseConnection, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);

        Assert.Equal(1, await slow);
        Assert.Equal(ConnectionState.Open, connection.State);
        await transaction.CommitAsync();
    }

    [Fact]
    public async Task CloseConnection_WhenTheConnectionIsClosedFirst_ClosesOnce()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT 1", connection);
        var changes = 0;
        connection.StateChange += (_, _) => changes++;
        var reader = await command.ExecuteReaderAsync(CommandBehavior.CloseConnection);

        await connection.CloseAsync();
        await reader.DisposeAsync();

        Assert.Equal(1, changes);
    }

    [Fact]
    public async Task SequentialAccess_ReadsColumnsInOrder()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT id, name FROM item ORDER BY id", connection);
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess);

        Assert.True(await reader.ReadAsync());
        Assert.Equal(1, await reader.GetFieldValueAsync<int>(0));
        Assert.False(await reader.IsDBNullAsync(1));
        Assert.Equal("n1", reader.GetString(1));
        Assert.Throws<InvalidOperationException>(() => reader.GetInt32(0));
        Assert.True(await reader.ReadAsync());
    }

    [Fact]
    public async Task SingleRow_ReadsOneRow()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT id FROM item ORDER BY id", connection);
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleRow);

        Assert.True(await reader.ReadAsync());
        Assert.False(await reader.ReadAsync());
    }

    [Fact]
    public async Task SingleResult_ReadsOneResult()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT 1; SELECT 2", connection);
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleResult);

        Assert.True(await reader.ReadAsync());
        Assert.False(await reader.NextResultAsync());
    }

    [Fact]
    public async Task SchemaOnly_DescribesWithoutRunning()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("DELETE FROM item RETURNING id, name", connection);
        await using (var reader = await command.ExecuteReaderAsync(CommandBehavior.SchemaOnly))
        {
            Assert.Equal((2, "name", typeof(string)), (reader.FieldCount, reader.GetName(1), reader.GetFieldType(1)));
            Assert.False(await reader.ReadAsync());
        }

        Assert.Equal(3L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task KeyInfo_TellsTheKey_AndClosesTheConnectionThatNpgsqlOpensForIt(bool asynchronous)
    {
        var pool = CreateUnshuffledPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT id, name FROM item", connection);
        await using (var reader = asynchronous ? await command.ExecuteReaderAsync(CommandBehavior.KeyInfo) : command.ExecuteReader(CommandBehavior.KeyInfo))
        {
            var columns = asynchronous
                ? await reader.GetColumnSchemaAsync()
                : ((System.Data.Common.IDbColumnSchemaGenerator)reader).GetColumnSchema();
            Assert.Equal((true, "item", false), (columns[0].IsKey, columns[0].BaseTableName, columns[1].AllowDBNull));
            using var table = (asynchronous ? await reader.GetSchemaTableAsync() : reader.GetSchemaTable())!;
            Assert.Equal(true, table.Rows[0]["IsKey"]);
        }

        await WaitForBackendsAsync(pool, backends => backends.Count == 1);
    }
}
