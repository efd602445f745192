using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What a transaction says of itself once it is over: what Npgsql's says. Callers decide by it whether their work is still inside.</summary>
public sealed class TransactionLifetimeTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly (string Name, Func<DbConnection, DbTransaction, Task> Do)[] Ends =
    [
        ("nothing", (_, _) => Task.CompletedTask),
        ("commit", (_, transaction) => transaction.CommitAsync()),
        ("rollback", (_, transaction) => transaction.RollbackAsync()),
        ("dispose", async (_, transaction) => await transaction.DisposeAsync()),
        ("commit and dispose", async (_, transaction) =>
        {
            transaction.Commit();
            transaction.Dispose();
        }),
        ("close", (connection, _) => connection.CloseAsync()),
        ("synchronous close", (connection, _) =>
        {
            connection.Close();
            return Task.CompletedTask;
        }),
        ("dispose the connection", async (connection, _) => await connection.DisposeAsync()),
        ("close and open again", async (connection, _) =>
        {
            await connection.CloseAsync();
            await connection.OpenAsync();
        }),
        ("close and dispose", async (connection, transaction) =>
        {
            await connection.CloseAsync();
            await transaction.DisposeAsync();
        }),
        ("commit and close", async (connection, transaction) =>
        {
            await transaction.CommitAsync();
            await connection.CloseAsync();
        }),
    ];

    private static readonly (string Name, Func<DbCommand, DbTransaction, object?> Do)[] Uses =
    [
        ("Connection", (command, transaction) => transaction.Connection is { } its ? ReferenceEquals(its, command.Connection) : null),
        ("IsolationLevel", (_, transaction) => transaction.IsolationLevel),
        ("Commit", (_, transaction) => Run(transaction.Commit)),
        ("Rollback", (_, transaction) => Run(transaction.Rollback)),
        ("Save", (_, transaction) => Run(() => transaction.Save("s"))),
        ("Dispose", (_, transaction) => Run(transaction.Dispose)),
        ("command.Transaction", (command, transaction) => Run(() => command.Transaction = transaction)),
    ];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhateverEndsATransaction_ItSaysWhatNpgsqlsDoes(bool hasRun)
    {
        var pool = CreatePool();
        await using var npgsql = NpgsqlDataSource.Create(ConnectionString);
        var (ours, theirs) = (await TryAllAsync(pool, hasRun), await TryAllAsync(npgsql, hasRun));
        Assert.Equal(theirs, ours);
    }

    [Fact]
    public async Task CommandOfATransactionThatIsOver_DoesNotRunOutsideOfIt()
    {
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item; CREATE TABLE item (id int)");
        var pool = CreatePool();
        foreach (var end in Ends.Skip(1))
        {
            await using var connection = await pool.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var command = connection.CreateCommand();
            await using var batch = connection.CreateBatch();
            batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO item VALUES (1)"));
            (command.CommandText, command.Transaction, batch.Transaction) = ("INSERT INTO item VALUES (1)", transaction, transaction);
            await end.Do(connection, transaction);

            Assert.ThrowsAny<InvalidOperationException>(() => command.ExecuteNonQuery());
            await Assert.ThrowsAnyAsync<InvalidOperationException>(() => command.ExecuteNonQueryAsync());
            await Assert.ThrowsAnyAsync<InvalidOperationException>(() => batch.ExecuteNonQueryAsync());
            Assert.Equal(0, pool.GetSnapshot().InUse);
        }

        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    private static async Task<List<string>> TryAllAsync(DbDataSource source, bool hasRun)
    {
        var said = new List<string>();
        foreach (var end in Ends)
        {
            foreach (var use in Uses)
            {
                await using var connection = await source.OpenConnectionAsync();
                var transaction = await connection.BeginTransactionAsync();
                if (hasRun)
                {
                    await connection.RunAsync("SELECT 1");
                }

                await using var command = connection.CreateCommand();
                await end.Do(connection, transaction);
                said.Add($"after {end.Name} {use.Name} {Try(() => use.Do(command, transaction))}");
                await transaction.DisposeAsync();
            }
        }

        return said;
    }

    private static string Try(Func<object?> use)
    {
        try
        {
            return $"gives {use() ?? "null"}";
        }
        catch (Exception e)
        {
            return $"throws {e.GetType().Name}";
        }
    }

    private static string Run(Action act)
    {
        act();
        return "nothing";
    }
}
