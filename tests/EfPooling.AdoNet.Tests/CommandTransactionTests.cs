using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>The connection and the transaction of a command or batch may be set in either order; whether they belong together is seen when it runs.</summary>
public sealed class CommandTransactionTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Command_TakesThemInEitherOrder_AsNpgsqlDoes(bool transactionFirst)
    {
        await using var plain = await OpenPlainAsync();
        await using var pooled = await CreatePool().OpenConnectionAsync();
        foreach (var (connection, command) in new (DbConnection, DbCommand)[] { (plain, new NpgsqlCommand("SELECT 1")), (pooled, new LogicalCommand("SELECT 1")) })
        {
            await using var transaction = await connection.BeginTransactionAsync();
            if (transactionFirst)
            {
                command.Transaction = transaction;
                command.Connection = connection;
            }
            else
            {
                command.Connection = connection;
                command.Transaction = transaction;
            }

            Assert.Equal(1, await command.ExecuteScalarAsync());
            await command.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OfAnotherConnection_IsRefusedWhenItRuns(bool asynchronous)
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await using var command = new LogicalCommand("SELECT 1", connection) { Transaction = transaction };
        await using var batch = connection.CreateBatch();
        batch.Transaction = transaction;
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1"));

        Assert.Contains("another connection", (await Assert.ThrowsAsync<InvalidOperationException>(() => asynchronous ? command.ExecuteScalarAsync() : Task.Run(command.ExecuteScalar))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => asynchronous ? batch.ExecuteScalarAsync() : Task.Run(batch.ExecuteScalar));
        command.Connection = other;
        Assert.Equal(1, await command.ExecuteScalarAsync());
        Assert.Same(transaction, command.Transaction);
        command.Connection = connection;
        Assert.Null(command.Transaction);
    }
}
