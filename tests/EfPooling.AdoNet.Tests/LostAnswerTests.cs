using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>The server has got a statement, and its answer is lost on the way: whoever wrote something learns that nobody knows whether it was.</summary>
public sealed class LostAnswerTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync(
            """
            DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY, name text);
            CREATE OR REPLACE FUNCTION counted() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM item';
            CREATE OR REPLACE FUNCTION counted_slowly() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN counted(); END $$;
            CREATE OR REPLACE FUNCTION added() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO item (name) VALUES ('x'); END $$;
            DO $do$ BEGIN EXECUTE 'CREATE OR REPLACE FUNCTION added_by_tree() RETURNS void LANGUAGE sql BEGIN ATOMIC INSERT INTO item (name) VALUES (''x''); END'; END $do$;
            """);
    }

    [Theory]
    [InlineData("INSERT INTO item (name) VALUES ('x')", true)]
    [InlineData("INSERT INTO item (name) VALUES ('x')", false)]
    [InlineData("INSERT INTO item (name) VALUES ('x') RETURNING id", true)]
    [InlineData("WITH new AS (INSERT INTO item (name) VALUES ('x') RETURNING id) SELECT id FROM new", false)]
    [InlineData("DO $$ BEGIN INSERT INTO item (name) VALUES ('x'); END $$", true)]
    [InlineData("SELECT 1; INSERT INTO item (name) VALUES ('x')", true)]
    [InlineData("SELECT added()", true)]
    [InlineData("SELECT added_by_tree()", false)]
    public async Task AWriteOutsideATransaction_IsOfUnknownOutcome(string sql, bool asynchronous)
    {
        await using var relay = CreateRelay();
        await using var connection = await OpenAsync(relay);
        foreach (var execute in Executions(asynchronous))
        {
            await PrepareDatabaseAsync("TRUNCATE item");
            await connection.AskAsync<int>("SELECT 1");
            var writing = StartLost(relay, () => execute(connection, sql));
            await WaitForItemsAsync();
            relay.HangUp();

            var error = await Assert.ThrowsAsync<CommitOutcomeUnknownException>(() => writing);

            Assert.False(error.IsTransient);
            Assert.IsAssignableFrom<NpgsqlException>(error.InnerException);
            Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        }
    }

    [Theory]
    [InlineData("INSERT INTO item (name) VALUES ('y')")]
    [InlineData("SELECT count(*) FROM item")]
    public async Task ABatch_IsOfUnknownOutcome(string first)
    {
        await using var relay = CreateRelay();
        await using var connection = await OpenAsync(relay);
        await connection.AskAsync<int>("SELECT 1");
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(first));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO item (name) VALUES ('x')"));
        var writing = StartLost(relay, () => batch.ExecuteNonQueryAsync());
        await WaitForItemsAsync();
        relay.HangUp();

        await Assert.ThrowsAsync<CommitOutcomeUnknownException>(() => writing);
    }

    [Fact]
    public async Task AWriteWhoseRowsAreBeingRead_IsOfUnknownOutcome()
    {
        await using var relay = CreateRelay();
        await using var connection = await OpenAsync(relay);
        await connection.AskAsync<int>("SELECT 1");
        await using var reader = await connection.ReadAsync("INSERT INTO item (name) SELECT repeat('x', 10000) FROM generate_series(1, 5000) RETURNING name");
        Assert.True(await reader.ReadAsync());
        relay.HangUp();

        await Assert.ThrowsAsync<CommitOutcomeUnknownException>(async () =>
        {
            while (await reader.ReadAsync())
            {
            }
        });
    }

    [Theory]
    [InlineData("SELECT count(*) FROM item", true)]
    [InlineData("SELECT count(*) FROM item", false)]
    [InlineData("SELECT count(*), random(), clock_timestamp(), gen_random_uuid() FROM item", true)] // Volatile, but no write.
    [InlineData("SELECT counted() /* FROM item */", true)]
    [InlineData("SELECT counted_slowly() /* FROM item */", false)]
    public async Task ARead_IsTransient(string sql, bool asynchronous)
    {
        await using var relay = CreateRelay();
        await using var connection = await OpenAsync(relay);
        foreach (var execute in Executions(asynchronous))
        {
            await connection.AskAsync<int>("SELECT 1");
            await using var blocking = await OpenPlainAsync();
            await using var locking = await blocking.BeginTransactionAsync();
            await blocking.RunAsync("LOCK TABLE item IN ACCESS EXCLUSIVE MODE");
            var reading = StartLost(relay, () => execute(connection, sql));
            await WaitForQueryAsync(connection.Pool!, "FROM item");
            relay.HangUp();

            Assert.True((await Assert.ThrowsAnyAsync<NpgsqlException>(() => reading)).IsTransient);
        }
    }

    [Fact]
    public async Task AWriteInATransaction_IsTransient_BecauseTheServerRollsBack()
    {
        await using var relay = CreateRelay();
        await using var connection = await OpenAsync(relay);
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.AskAsync<int>("SELECT 1");
        var writing = StartLost(relay, () => connection.RunAsync("INSERT INTO item (name) SELECT 'x' FROM pg_sleep(0.01)"));
        await WaitForBackendsAsync(connection.Pool!, all => all.Any(backend => backend.State == "idle in transaction" && backend.Query.Contains("INSERT", StringComparison.Ordinal)));
        relay.HangUp();

        Assert.True((await Assert.ThrowsAnyAsync<NpgsqlException>(() => writing)).IsTransient);
    }

    [Fact]
    public async Task AWriteOnAConnectionThatWasDeadBefore_IsTransient_BecauseNothingWasReceived()
    {
        await using var relay = CreateRelay();
        await using var connection = await OpenAsync(relay, options => options.ServerCheckDelay = Timeout.InfiniteTimeSpan);
        await connection.AskAsync<int>("SELECT 1");
        relay.HangUp();

        Assert.True((await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.RunAsync("INSERT INTO item (name) VALUES ('x')"))).IsTransient);

        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task AWriteThatTheServerEnds_FailsWithWhatTheServerSaid()
    {
        await using var relay = CreateRelay();
        await using var connection = await OpenAsync(relay);
        var writing = connection.RunAsync("INSERT INTO item (name) SELECT 'x' FROM pg_sleep(60)");
        Assert.True(await Server.TerminateBackendAsync(await WaitForQueryAsync(connection.Pool!, "pg_sleep")));

        Assert.Equal(PostgresErrorCodes.AdminShutdown, (await Assert.ThrowsAsync<PostgresException>(() => writing)).SqlState);
    }

    // Each way of running a command.
    private static Func<DbConnection, string, Task>[] Executions(bool asynchronous) => asynchronous
        ? [(connection, sql) => connection.RunAsync(sql), (connection, sql) => connection.AskAsync<object>(sql), ReadAllAsync]
        : [(connection, sql) => Task.Run(() => connection.Run(sql)), (connection, sql) => Task.Run(() => connection.Ask<object>(sql)), (connection, sql) => Task.Run(() => ReadAll(connection, sql))];

    private static async Task ReadAllAsync(DbConnection connection, string sql)
    {
        await using var reader = await connection.ReadAsync(sql);
        while (await reader.NextResultAsync())
        {
        }
    }

    private static void ReadAll(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        while (reader.NextResult())
        {
        }
    }

    private static Task StartLost(Relay relay, Func<Task> start)
    {
        relay.LoseAnswers();
        return start();
    }

    private async Task WaitForItemsAsync()
    {
        while (await AskPlainAsync<long>("SELECT count(*) FROM item") == 0)
        {
        }
    }

    private ValueTask<LogicalConnection> OpenAsync(Relay relay, Action<TransactionPoolingOptions>? configure = null)
        => CreateUnshuffledPool(maxPoolSize: 1, keywords: $"Host=127.0.0.1;Port={relay.Port}", configure).OpenConnectionAsync();
}
