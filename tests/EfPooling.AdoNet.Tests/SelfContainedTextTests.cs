using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What begins and ends in a session inside one text, or one transaction, needs no session of its own, and leaves nothing behind.</summary>
public sealed class SelfContainedTextTests(ServerFixture fixture) : PoolTest(fixture)
{
    // As EF Core writes idempotent scripts.
    private const string Script =
        """
        START TRANSACTION;
        DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM item WHERE name = 'seed') THEN INSERT INTO item (name) VALUES ('seed'); END IF; END $$;
        COMMIT;
        """;

    public static TheoryData<string> Texts =>
    [
        Script,
        "BEGIN; INSERT INTO item (name) VALUES ('x'); ROLLBACK",
        "begin isolation level serializable; SELECT count(*) FROM item; end; BEGIN; SET LOCAL work_mem = '8MB'; ROLLBACK AND NO CHAIN",
        "CREATE TEMP TABLE w (id int); INSERT INTO w VALUES (1); DROP TABLE w",
        "CREATE TEMPORARY TABLE IF NOT EXISTS \"W\" AS SELECT 1 AS id; SELECT * FROM \"W\"; DROP TABLE IF EXISTS item_of_nobody, pg_temp.\"W\" CASCADE",
        "BEGIN; CREATE TEMP TABLE w (id int); ROLLBACK",
        "PREPARE p AS SELECT count(*) FROM item; EXECUTE p; DEALLOCATE PREPARE p",
        "LISTEN news; NOTIFY news; UNLISTEN news",
        "LISTEN news; LISTEN other; UNLISTEN *",
        "SELECT pg_advisory_lock(4711); INSERT INTO item (name) VALUES ('locked'); SELECT pg_advisory_unlock(4711)",
        "SELECT pg_catalog.pg_try_advisory_lock_shared(1, 2); SELECT pg_advisory_unlock_shared(1, 2)",
        "SELECT pg_advisory_lock(1), pg_advisory_lock(2); SELECT pg_advisory_unlock_all()",
    ];

    public static TheoryData<string> Unfinished =>
    [
        "BEGIN; INSERT INTO item (name) VALUES ('x')",
        "COMMIT; BEGIN",
        "BEGIN; COMMIT AND CHAIN",
        "BEGIN; PREPARE TRANSACTION 'x'",
        "CREATE TEMP TABLE w (id int); DROP TABLE public.w",
        "CREATE TEMP TABLE w (id int); DROP TABLE other",
        "CREATE TEMP TABLE w (id int); BEGIN; DROP TABLE w; ROLLBACK",
        "CREATE TEMP TABLE w (id int); SAVEPOINT s; DROP TABLE w; ROLLBACK TO s",
        "CREATE TEMP VIEW w AS SELECT 1; DROP VIEW w",
        "PREPARE p AS SELECT 1; DEALLOCATE ALL",
        "PREPARE p AS SELECT 1; DEALLOCATE q",
        "BEGIN; PREPARE p AS SELECT 1; ROLLBACK",
        "BEGIN; SELECT pg_advisory_lock(1); ROLLBACK",
        "LISTEN news; UNLISTEN other",
        "UNLISTEN news; LISTEN news",
        "SELECT pg_advisory_lock(1); SELECT pg_advisory_unlock(2)",
        "SELECT pg_advisory_lock(1); SELECT pg_advisory_unlock_shared(1)",
        "BEGIN; DISCARD TEMP; COMMIT",
        "BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT",
    ];

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item; CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY, name text)");
    }

    [Theory, MemberData(nameof(Texts))]
    public async Task ItRuns_AsOnPlainNpgsql_AndLeavesNothingBehind(string sql)
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var plain = await OpenPlainAsync();

        Assert.Equal(await OutcomeAsync(plain, sql), await OutcomeAsync(connection, sql));
        Assert.Equal(await OutcomeAsync(plain, sql), await OutcomeAsync(connection, sql)); // Nothing of the first time is in its way.

        Assert.Empty(pool.GetPins());
        Assert.Equal("", await RemainsAsync(pool));
    }

    [Theory, MemberData(nameof(Texts))]
    public async Task IfItFailsHalfWay_NothingLeaks(string sql)
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var parts = sql.Split(';').Length - (sql.TrimEnd().EndsWith(';') ? 2 : 1);
        var last = sql.TrimEnd(';', '\n', ' ').LastIndexOf(';');

        var error = await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync($"{sql[..last]}; SELECT 1 / 0; {sql[(last + 1)..]}"));

        Assert.Equal(PostgresErrorCodes.DivisionByZero, error.SqlState);
        Assert.True(parts > 0);
        Assert.Equal("", await RemainsAsync(pool));
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Theory, MemberData(nameof(Unfinished))]
    public async Task WhatDoesNotEnd_IsRefused(string sql)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();

        await Assert.ThrowsAsync<SessionStateException>(() => connection.RunAsync(sql));
    }

    [Theory]
    [InlineData("CREATE TEMP TABLE w (id int)", "INSERT INTO w VALUES (1)", "DROP TABLE w")]
    [InlineData("CREATE TEMP TABLE w AS SELECT 1 AS id", "SELECT id FROM pg_temp.w", "DROP TABLE pg_temp.w")]
    [InlineData("PREPARE p AS SELECT 1", "EXECUTE p", "DEALLOCATE p")]
    [InlineData("LISTEN news", "NOTIFY news", "UNLISTEN *")]
    [InlineData("SELECT pg_advisory_lock(4712)", "INSERT INTO item (name) VALUES ('x')", "SELECT pg_advisory_unlock(4712)")]
    public async Task InOneTransaction_ItRuns_IfItEndsThere_AndIsRefusedAtCommit_IfNot(string begin, string use, string end)
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync(begin);
            await connection.RunAsync(use);
            await connection.RunAsync(end);
            await transaction.CommitAsync();
        }

        Assert.Equal("", await RemainsAsync(pool));
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync(begin);
            Assert.Equal(begin, (await Assert.ThrowsAsync<SessionStateException>(() => transaction.CommitAsync())).Statement);
            Assert.Throws<SessionStateException>(transaction.Commit);
            await connection.RunAsync(end);
            await transaction.CommitAsync();
        }

        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync(begin);
            await transaction.RollbackAsync();
        }

        Assert.Equal("", await RemainsAsync(pool));
    }

    [Fact]
    public async Task ADropThatIsRolledBackToASavepoint_IsNoEnd()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("CREATE TEMP TABLE w (id int)");
        await transaction.SaveAsync("s");
        await connection.RunAsync("DROP TABLE w");
        await transaction.RollbackAsync("s");

        await Assert.ThrowsAsync<SessionStateException>(() => transaction.CommitAsync());
    }

    [Theory]
    [InlineData("SELECT pg_advisory_lock(@key)")]
    [InlineData("CREATE TEMP VIEW w AS SELECT 1")]
    [InlineData("COMMIT")]
    [InlineData("BEGIN; COMMIT")]
    public async Task InOneTransaction_WhatCannotBeFollowed_IsRefusedAtOnce(string sql)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new LogicalCommand(sql, connection);
        command.Parameters.AddWithValue("key", 1);

        await Assert.ThrowsAsync<SessionStateException>(() => command.ExecuteNonQueryAsync());
    }

    // What a later owner of the only server connection could meet.
    private async Task<string> RemainsAsync(TransactionPoolingDataSource pool)
    {
        await using var next = await pool.OpenConnectionAsync();
        await using var session = await next.LeaseSessionAsync("looks what was left");
        var remains = await next.AskAsync<string>(
            """
            SELECT concat_ws(', ',
                (SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = pg_my_temp_schema()),
                (SELECT string_agg(name, ' ') FROM pg_prepared_statements WHERE from_sql),
                (SELECT string_agg(channel, ' ') FROM pg_listening_channels() AS channel),
                (SELECT string_agg(objid::text, ' ') FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()))
            """);
        Assert.DoesNotContain(await BackendsOfAsync(pool), backend => backend.State is "idle in transaction" or "idle in transaction (aborted)");
        return remains;
    }

    private static async Task<string> OutcomeAsync(DbConnection connection, string sql)
    {
        await connection.RunAsync(sql);
        return $"{connection.State} {await connection.AskAsync<long>("SELECT count(*) FROM item WHERE name = 'seed'")}";
    }
}
