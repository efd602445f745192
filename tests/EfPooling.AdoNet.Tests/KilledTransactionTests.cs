using System.Transactions;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A killed server connection takes its transaction along, and the transaction says so until it is given up.</summary>
public sealed class KilledTransactionTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Fact]
    public async Task InAReader_OfATransaction_BreaksTheTransaction()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var reader = await connection.ReadAsync("SELECT pg_backend_pid(), repeat('x', 10000) FROM generate_series(1, 5000)");
        Assert.True(await reader.ReadAsync());
        await KillAsync(reader.GetInt32(0));
        await Record.ExceptionAsync(async () => await reader.DisposeAsync());

        await Assert.ThrowsAsync<TransactionBrokenException>(() => connection.RunAsync("SELECT 1"));
        await transaction.RollbackAsync();
        await connection.OpenAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OutOfOurSight_InATransaction_BreaksTheTransaction(bool commit)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var session = await connection.LeaseSessionAsync("Npgsql's own API"))
        {
            await KillAsync(session.Connection.ProcessID);
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => session.Connection.RunAsync("SELECT 1"));
        }

        if (commit)
        {
            await Assert.ThrowsAsync<TransactionBrokenException>(() => transaction.CommitAsync());
        }
        else
        {
            await Assert.ThrowsAsync<TransactionBrokenException>(() => connection.RunAsync("SELECT 1"));
        }

        transaction.Rollback();
        await connection.OpenAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InATransactionBetweenCommands_TheNextCommandFails_AndTheRestIsRefusedUntilRollback(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("INSERT INTO item VALUES (1)");
        await KillAsync(await connection.AskAsync<int>(Sql.BackendId));

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.RunAsync("INSERT INTO item VALUES (2)"));
        Assert.Equal(0, pool.GetSnapshot().InUse);
        var error = await Assert.ThrowsAsync<TransactionBrokenException>(() => connection.RunAsync("INSERT INTO item VALUES (3)"));
        Assert.IsAssignableFrom<NpgsqlException>(error.InnerException);
        Assert.Throws<TransactionBrokenException>(() => connection.Run("INSERT INTO item VALUES (3)"));
        Assert.Throws<TransactionBrokenException>(() => transaction.Save("s"));
        await Assert.ThrowsAsync<TransactionBrokenException>(() => transaction.CommitAsync());
        Assert.Throws<TransactionBrokenException>(transaction.Commit);
        Assert.Throws<TransactionBrokenException>(() => connection.BeginTransaction());
        await (asynchronous ? transaction.RollbackAsync() : Task.Run(transaction.Rollback));

        await connection.OpenAsync();
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Theory]
    [InlineData("dispose")]
    [InlineData("dispose asynchronously")]
    [InlineData("close")]
    [InlineData("rollback")]
    [InlineData("rollback asynchronously")]
    public async Task InATransaction_ThatIsGivenUpNext_NothingIsThrown(string how)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await KillAsync(await connection.AskAsync<int>(Sql.BackendId));

        await (how switch
        {
            "dispose" => Task.Run(transaction.Dispose),
            "dispose asynchronously" => transaction.DisposeAsync().AsTask(),
            "close" => connection.CloseAsync(),
            "rollback" => Task.Run(transaction.Rollback),
            _ => transaction.RollbackAsync(),
        });

        Assert.Equal(0, pool.GetSnapshot().InUse);
        await connection.CloseAsync();
        await connection.OpenAsync();
        await Record.ExceptionAsync(() => connection.RunAsync("SELECT 1"));
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task InASavepoint_TheTransactionIsBroken()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await KillAsync(await connection.AskAsync<int>(Sql.BackendId));

        await Assert.ThrowsAnyAsync<NpgsqlException>(async () =>
        {
            await transaction.SaveAsync("s");
            await connection.RunAsync("SELECT 1");
        });

        await Assert.ThrowsAsync<TransactionBrokenException>(() => connection.RunAsync("SELECT 1"));
        Assert.Throws<TransactionBrokenException>(() => transaction.Release("s"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DuringCommit_SaysThatTheOutcomeIsUnknown(bool asynchronous)
    {
        await PrepareDatabaseAsync(
            """
            CREATE OR REPLACE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait();
            """);
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("INSERT INTO item VALUES (1)");
        var committing = asynchronous ? transaction.CommitAsync() : Task.Run(transaction.Commit);
        await KillAsync(await WaitForQueryAsync(pool, "COMMIT"));

        var error = await Assert.ThrowsAsync<CommitOutcomeUnknownException>(() => committing);

        Assert.False(error.IsTransient);
        Assert.IsAssignableFrom<NpgsqlException>(error.InnerException);
        Assert.Equal(0, pool.GetSnapshot().InUse);
        await transaction.RollbackAsync();
        await connection.OpenAsync();
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task InAnAmbientTransaction_TheScopeFails()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await Assert.ThrowsAnyAsync<TransactionException>(async () =>
        {
            using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
            await using var connection = await pool.OpenConnectionAsync();
            await connection.RunAsync("INSERT INTO item VALUES (1)");
            await KillAsync(await connection.AskAsync<int>(Sql.BackendId));
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.RunAsync("INSERT INTO item VALUES (2)"));
            await Assert.ThrowsAsync<TransactionBrokenException>(() => connection.RunAsync("INSERT INTO item VALUES (3)"));
            Assert.Throws<TransactionBrokenException>(() => connection.Run("INSERT INTO item VALUES (3)"));
            scope.Complete();
        });

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    private async Task KillAsync(int backend) => Assert.True(await Server.TerminateBackendAsync(backend));
}
