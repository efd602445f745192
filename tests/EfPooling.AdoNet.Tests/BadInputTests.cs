using System.Data.Common;

namespace EfPooling.AdoNet.Tests;

/// <summary>Every mistake gets an exception of its own that says what to do.</summary>
public sealed class BadInputTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task ConnectionThatIsNotOpen_IsRefused()
    {
        var pool = CreatePool();
        await using var connection = pool.CreateConnection();
        await using var command = new LogicalCommand("SELECT 1", connection);
        await using var batch = connection.CreateBatch();

        AssertSays("Call Open", Assert.Throws<InvalidOperationException>(() => command.ExecuteNonQuery()));
        AssertSays("Call Open", await Assert.ThrowsAsync<InvalidOperationException>(() => command.ExecuteReaderAsync()));
        AssertSays("Call Open", await Assert.ThrowsAsync<InvalidOperationException>(() => batch.ExecuteScalarAsync()));
        AssertSays("Call Open", Assert.Throws<InvalidOperationException>(() => connection.BeginTransaction()));
        AssertSays("Call Open", await Assert.ThrowsAsync<InvalidOperationException>(() => connection.GetSchemaAsync()));
        AssertSays("Call Open", await Assert.ThrowsAsync<InvalidOperationException>(async () => await connection.LeaseSessionAsync("why")));
        AssertSays("Call Open", Assert.Throws<InvalidOperationException>(() => connection.EnlistTransaction(null)));
    }

    [Fact]
    public async Task CommandWithoutAConnection_IsRefused()
    {
        await using var command = new LogicalCommand("SELECT 1");
        await using var batch = new LogicalBatch();

        AssertSays("connection.CreateCommand()", Assert.Throws<InvalidOperationException>(() => command.ExecuteScalar()));
        AssertSays("has no connection", await Assert.ThrowsAsync<InvalidOperationException>(() => batch.ExecuteNonQueryAsync()));
        AssertSays("has no connection", Assert.Throws<InvalidOperationException>(command.Prepare));
    }

    [Fact]
    public async Task CommandWithoutAText_IsRefused_AndTheConnectionGoesOn()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        await using var batch = connection.CreateBatch();

        Assert.Throws<InvalidOperationException>(() => command.ExecuteNonQuery());
        await Assert.ThrowsAsync<InvalidOperationException>(() => command.ExecuteReaderAsync());
        await Record.ExceptionAsync(() => batch.ExecuteNonQueryAsync());

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task ForeignConnectionAndTransaction_AreRefusedByType()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var foreign = await OpenPlainAsync();
        await using var foreignTransaction = await foreign.BeginTransactionAsync();
        DbCommand command = connection.CreateCommand();
        DbBatch batch = connection.CreateBatch();

        AssertSays("LogicalConnection, not on a NpgsqlConnection", Assert.Throws<InvalidCastException>(() => command.Connection = foreign));
        AssertSays("LogicalTransaction, not in a NpgsqlTransaction", Assert.Throws<InvalidCastException>(() => command.Transaction = foreignTransaction));
        AssertSays("LogicalConnection, not on a NpgsqlConnection", Assert.Throws<InvalidCastException>(() => batch.Connection = foreign));
        AssertSays("LogicalTransaction, not in a NpgsqlTransaction", Assert.Throws<InvalidCastException>(() => batch.Transaction = foreignTransaction));
        Assert.Same(connection, command.Connection);
        command.Connection = null;
        batch.Connection = null;
        Assert.Null(command.Connection);
        Assert.Null(batch.Connection);
        Assert.Null(command.Transaction);
        command.Transaction = null;
        batch.Transaction = null;
    }

    [Fact]
    public async Task TransactionOfAnotherConnection_IsRefused()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using var command = connection.CreateCommand();
        await using var batch = connection.CreateBatch();

        command.CommandText = "SELECT 1";
        command.Transaction = transaction;
        batch.BatchCommands.Add(new Npgsql.NpgsqlBatchCommand("SELECT 1"));
        batch.Transaction = transaction;
        AssertSays("another connection", Assert.Throws<InvalidOperationException>(() => command.ExecuteScalar()));
        AssertSays("another connection", Assert.Throws<InvalidOperationException>(() => batch.ExecuteScalar()));
        command.Connection = other;
        command.Transaction = transaction;
        command.Connection = connection;
        Assert.Null(command.Transaction);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task CommandWhoseReaderIsOpen_CannotBeMovedOrChanged()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT 1", connection);
        await using var batch = connection.CreateBatch();
        await using (await command.ExecuteReaderAsync())
        {
            AssertSays("Close the reader", Assert.Throws<InvalidOperationException>(() => command.Connection = other));
            Assert.Throws<InvalidOperationException>(() => command.CommandText = "SELECT 2");
            await Assert.ThrowsAsync<ConcurrentUseException>(() => command.ExecuteScalarAsync());
        }

        command.Connection = other;
        Assert.Equal(1, await command.ExecuteScalarAsync());
    }

    private static void AssertSays(string text, Exception error) => Assert.Contains(text, error.Message, StringComparison.Ordinal);
}
