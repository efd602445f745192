using System.Transactions;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A killed server connection fails exactly the operation on it; nothing hangs and the pool mends itself.</summary>
public sealed class KilledBackendTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Fact]
    public async Task WhileIdle_TheNextCommandFails_AndTheOneAfterItWorks()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.ServerCheckDelay = Timeout.InfiniteTimeSpan);
        await using var connection = await pool.OpenConnectionAsync();
        await KillAsync(await connection.AskAsync<int>(Sql.BackendId));

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.RunAsync("SELECT 1"));

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Broken]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhileIdle_WithChecks_NobodyNotices(bool asynchronous)
    {
        var log = new CapturedLog();
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.ServerCheckDelay = TimeSpan.Zero, build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();
        await KillAsync(await connection.AskAsync<int>(Sql.BackendId));

        Assert.Equal(1, asynchronous ? await connection.AskAsync<int>("SELECT 1") : connection.Ask<int>("SELECT 1"));

        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.FailedCheck]);
        Assert.Equal(1, log.Count(1100));
    }

    [Fact]
    public async Task OneOfSeveral_MakesThePoolCheckThoseThatWereIdleMeanwhile()
    {
        var pool = CreatePool(maxPoolSize: 3, configure: options => options.ServerCheckDelay = Timeout.InfiniteTimeSpan);
        var connections = new List<LogicalConnection>();
        for (var i = 0; i < 3; i++)
        {
            connections.Add(await pool.OpenConnectionAsync());
            await connections[i].BeginTransactionAsync();
            await connections[i].RunAsync("SELECT 1");
        }

        foreach (var backend in await BackendsOfAsync(pool))
        {
            await KillAsync(backend.ProcessId);
        }

        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        await using var next = await pool.OpenConnectionAsync();
        Assert.Equal(1, await next.AskAsync<int>("SELECT 1"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InACommand_ThatCommandFails(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var running = asynchronous ? connection.RunAsync("SELECT pg_sleep(60)") : Task.Run(() => connection.Run("SELECT pg_sleep(60)"));
        await KillAsync(await WaitForQueryAsync(pool, "pg_sleep"));

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => running);

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Broken]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InAReader_ThatReaderFails_AndItsCommandCanRunAgain(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT pg_backend_pid(), repeat('x', 10000) FROM generate_series(1, 5000)", connection);
        var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        await KillAsync(reader.GetInt32(0));

        await Assert.ThrowsAnyAsync<NpgsqlException>(async () =>
        {
            while (asynchronous ? await reader.ReadAsync() : reader.Read())
            {
            }
        });
        await reader.DisposeAsync();

        command.CommandText += " LIMIT 1";
        Assert.IsType<int>(await command.ExecuteScalarAsync());
        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Broken]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InAReader_ThatIsClosedUnread_TheNextOwnerDoesNotNotice(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT pg_backend_pid(), repeat('x', 10000) FROM generate_series(1, 5000)", connection);
        var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        await KillAsync(reader.GetInt32(0));

        await Record.ExceptionAsync(async () =>
        {
            if (asynchronous)
            {
                await reader.DisposeAsync();
            }
            else
            {
                reader.Dispose();
            }
        });

        Assert.Equal(0, pool.GetSnapshot().Leased);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        command.CommandText += " LIMIT 1";
        Assert.IsType<int>(await command.ExecuteScalarAsync());
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
        Assert.Equal(0, pool.GetSnapshot().Leased);
        var error = await Assert.ThrowsAsync<TransactionBrokenException>(() => connection.RunAsync("INSERT INTO item VALUES (3)"));
        Assert.IsAssignableFrom<NpgsqlException>(error.InnerException);
        Assert.Throws<TransactionBrokenException>(() => connection.Run("INSERT INTO item VALUES (3)"));
        Assert.Throws<TransactionBrokenException>(() => transaction.Save("s"));
        await Assert.ThrowsAsync<TransactionBrokenException>(() => transaction.CommitAsync());
        Assert.Throws<TransactionBrokenException>(transaction.Commit);
        Assert.Throws<InvalidOperationException>(() => connection.BeginTransaction());
        await (asynchronous ? transaction.RollbackAsync() : Task.Run(transaction.Rollback));

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

        Assert.Equal(0, pool.GetSnapshot().Leased);
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
        Assert.Equal(0, pool.GetSnapshot().Leased);
        await transaction.RollbackAsync();
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

        Assert.Equal(0, pool.GetSnapshot().Leased);
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task InASession_TheSessionFails_AndTheNextOneWorks()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("to be killed"))
        {
            await KillAsync(session.Connection.ProcessID);
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.RunAsync("SELECT 1"));
            await Assert.ThrowsAsync<InvalidOperationException>(() => connection.RunAsync("SELECT 1"));
        }

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task DuringAReset_TheNextOwnerGetsAnother()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("killed before it is reset"))
        {
            await KillAsync(session.Connection.ProcessID);
        }

        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Broken]);
        using (var session = await connection.LeaseSessionAsync("killed before it is reset, synchronously"))
        {
            await KillAsync(session.Connection.ProcessID);
        }

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    private async Task KillAsync(int backend) => Assert.True(await Server.TerminateBackendAsync(backend));
}
