using System.Data;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What one owner of a server connection does to its session never reaches the next one.</summary>
public sealed class SessionStateTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync(
            """
            DROP TABLE IF EXISTS item CASCADE;
            CREATE TABLE item (id serial PRIMARY KEY, temperature int);
            DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'somebody') THEN CREATE ROLE somebody; END IF; END $$;
            CREATE OR REPLACE PROCEDURE change_setting() LANGUAGE sql AS $$ SELECT set_config('work_mem', '77MB', false) $$;
            """);
    }

    [Theory]
    [InlineData("SET work_mem = '77MB'", "SELECT current_setting('work_mem') <> '77MB'")]
    [InlineData("/* a */ -- b\n sEt/**/work_mem = '77MB'", "SELECT current_setting('work_mem') <> '77MB'")]
    [InlineData("SELECT 1; SET work_mem = '77MB'", "SELECT current_setting('work_mem') <> '77MB'")]
    [InlineData("SELECT set_config('work_mem', '77MB', false)", "SELECT current_setting('work_mem') <> '77MB'")]
    [InlineData("WITH x AS (SELECT \"set_config\"('work_mem', '77MB', false)) SELECT * FROM x", "SELECT current_setting('work_mem') <> '77MB'")]
    [InlineData("DO $$ BEGIN PERFORM set_config('work_mem', '77MB', false); END $$", "SELECT current_setting('work_mem') <> '77MB'")]
    [InlineData("CALL change_setting()", "SELECT current_setting('work_mem') <> '77MB'")]
    [InlineData("SET SESSION AUTHORIZATION somebody", "SELECT session_user = 'postgres'")]
    [InlineData("SET ROLE somebody", "SELECT current_user = 'postgres'")]
    [InlineData("SET search_path = nowhere", "SELECT current_setting('search_path') <> 'nowhere'")]
    [InlineData("SET custom.tenant = '7'", "SELECT coalesce(current_setting('custom.tenant', true), '') = ''")]
    [InlineData("SELECT pg_advisory_lock(1)", "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'")]
    [InlineData("SELECT pg_try_advisory_lock_shared(1)", "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'")]
    [InlineData("CREATE TEMP TABLE mine (id int)", "SELECT to_regclass('mine') IS NULL")]
    [InlineData("CREATE LOCAL TEMPORARY TABLE mine (id int)", "SELECT to_regclass('mine') IS NULL")]
    [InlineData("SELECT 1 AS id INTO TEMP mine", "SELECT to_regclass('mine') IS NULL")]
    [InlineData("CREATE TABLE pg_temp.mine (id int)", "SELECT to_regclass('pg_temp.mine') IS NULL")]
    [InlineData("CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "SELECT to_regprocedure('pg_temp.mine()') IS NULL")]
    [InlineData("CREATE TEMP SEQUENCE mine", "SELECT to_regclass('mine') IS NULL")]
    [InlineData("EXPLAIN ANALYZE CREATE TEMP TABLE mine AS SELECT 1", "SELECT to_regclass('mine') IS NULL")]
    [InlineData("LISTEN news", "SELECT count(*) = 0 FROM pg_listening_channels()")]
    [InlineData("PREPARE mine AS SELECT 1", "SELECT count(*) = 0 FROM pg_prepared_statements WHERE name = 'mine'")]
    [InlineData("DECLARE mine CURSOR WITH HOLD FOR SELECT 1", "SELECT count(*) = 0 FROM pg_cursors WHERE name = 'mine'")]
    [InlineData("BEGIN; INSERT INTO item DEFAULT VALUES", "SELECT pg_current_xact_id_if_assigned() IS NULL")]
    [InlineData("START TRANSACTION READ ONLY", "SELECT current_setting('transaction_read_only') = 'off'")]
    [InlineData("BEGIN; SELECT 1/0", "SELECT true")]
    [InlineData("BEGIN ISOLATION LEVEL SERIALIZABLE; COMMIT AND CHAIN", "SELECT current_setting('transaction_isolation') = 'read committed'")]
    public async Task NextOwner_FindsNothingOf(string sql, string isClean)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionState = SessionStatePolicy.Pin);
        await using var next = await pool.OpenConnectionAsync();

        await UseAsync(async connection => await connection.RunAsync(sql));
        Assert.True(await next.AskAsync<bool>(isClean), "after an asynchronous command");

        await UseAsync(connection =>
        {
            connection.Run(sql);
            return Task.CompletedTask;
        });
        Assert.True(next.Ask<bool>(isClean), "after a synchronous command");

        await UseAsync(async connection => await (await connection.ReadAsync(sql)).DisposeAsync());
        Assert.True(await next.AskAsync<bool>(isClean), "after a reader");

        await UseAsync(async connection =>
        {
            await using var batch = connection.CreateBatch();
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql.Split(';')[0]));
            await batch.ExecuteNonQueryAsync();
        });
        Assert.True(await next.AskAsync<bool>(isClean), "after a batch");

        await UseAsync(async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await connection.RunAsync(sql);
            await transaction.CommitAsync();
        });
        Assert.True(await next.AskAsync<bool>(isClean), "after a transaction");

        async Task UseAsync(Func<LogicalConnection, Task> use)
        {
            await using var connection = await pool.OpenConnectionAsync();
            await Record.ExceptionAsync(() => use(connection));
        }
    }

    [Fact]
    public async Task StoredProcedure_ThatChangesASetting_LeavesNothing()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "change_setting";
        command.CommandType = CommandType.StoredProcedure;

        await command.ExecuteNonQueryAsync();

        Assert.NotEqual("77MB", await connection.AskAsync<string>("SHOW work_mem"));
    }

    [Fact]
    public async Task ConnectionStringSettings_SurviveAReset()
    {
        var pool = CreatePool(maxPoolSize: 1, keywords: "Search Path=somewhere;Timezone=Asia/Tokyo;Options=-c work_mem=78MB");
        await using var connection = await pool.OpenConnectionAsync();

        await connection.RunAsync("SET search_path = nowhere; SET TimeZone = 'UTC'; SET work_mem = '77MB'");
        await connection.CloseAsync();
        await connection.OpenAsync();

        Assert.Equal("somewhere|Asia/Tokyo|78MB", await connection.AskAsync<string>(
            "SELECT concat_ws('|', current_setting('search_path'), current_setting('TimeZone'), current_setting('work_mem'))"));
    }

    [Theory]
    [InlineData("SELECT 1 AS id, 'SET work_mem' AS text -- temp")]
    [InlineData("INSERT INTO item (temperature) VALUES (1) RETURNING id")]
    [InlineData("SET LOCAL work_mem = '77MB'")]
    [InlineData("SELECT pg_advisory_xact_lock(1)")]
    [InlineData("SELECT 1/0")]
    public async Task CleanConnection_IsNeverReset(string sql)
    {
        var log = new CapturedLog();
        var pool = CreateUnshuffledPool(maxPoolSize: 1, build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();

        await Record.ExceptionAsync(() => connection.RunAsync(sql));
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await Record.ExceptionAsync(() => connection.RunAsync(sql));
            await transaction.RollbackAsync();
        }

        Assert.All(log.Commands, text => Assert.Contains(sql, text, StringComparison.Ordinal));
        Assert.Empty(pool.GetSnapshot().Retired);
    }

    [Fact]
    public async Task DirtyConnection_IsResetOnce_AndKeepsItsPreparedStatements()
    {
        var log = new CapturedLog();
        var pool = CreateUnshuffledPool(maxPoolSize: 1, keywords: "Auto Prepare Min Usages=1", build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT 'warm'");
        await connection.RunAsync("CALL change_setting()");
        await connection.RunAsync("SELECT 'warm'");

        Assert.Single(log.Commands, CapturedLog.IsReset);
        Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT ''warm'''"));
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task Reset_TellsTheServerNothingToWarnAbout()
    {
        var log = new CapturedLog();
        var pool = CreatePool(maxPoolSize: 1, build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();

        await connection.RunAsync("SET work_mem = '77MB'");
        await connection.RunAsync("CALL change_setting()");

        Assert.DoesNotContain(log.Texts, text => text.Contains("no transaction in progress", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Connection_ThatCannotBeReset_IsClosed()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();

        await using (await connection.LeaseSessionAsync("test"))
        {
            await connection.RunAsync("DISCARD ALL");
        }

        Assert.Equal(1, pool.GetSnapshot().Retired[Core.RetireReason.ResetFailed]);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Theory]
    [InlineData(CommandType.Text, "UPDATE pg_settings SET setting = 'mine' WHERE name = 'application_name'")]
    [InlineData(CommandType.Text, "SELECT U&\"set!005fconfig\" UESCAPE '!' ('application_name', 'mine', false)")]
    [InlineData(CommandType.TableDirect, "set_config('application_name', 'mine', false)")]
    public async Task Setting_ChangedInAnUnusualWay_IsNotLeftToTheNextOwner(CommandType type, string text)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionState = SessionStatePolicy.Pin);
        await using (var connection = await pool.OpenConnectionAsync())
        {
            await using var command = connection.CreateCommand();
            (command.CommandType, command.CommandText) = (type, text);
            await command.ExecuteNonQueryAsync();
        }

        await using var next = await pool.OpenConnectionAsync();
        Assert.NotEqual("mine", await next.AskAsync<string>("SHOW application_name"));
    }
}
