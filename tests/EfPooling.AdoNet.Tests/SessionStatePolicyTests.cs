using System.Transactions;
using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

/// <summary>Statements that need a session of their own: refused, or pinned, as the options say.</summary>
public sealed class SessionStatePolicyTests(ServerFixture fixture) : PoolTest(fixture)
{
    public static TheoryData<string, PinReason, string> Statements => new()
    {
        { "LISTEN news", PinReason.Listen, "SubscribeAsync" },
        { "UNLISTEN news", PinReason.Listen, "Leave it out" },
        { "CREATE TEMP TABLE mine (id int)", PinReason.TemporaryObject, "ON COMMIT DROP" },
        { "SELECT 1 AS id INTO TEMP mine", PinReason.TemporaryObject, "ON COMMIT DROP" },
        { "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", PinReason.TemporaryObject, "DO block" },
        { "CREATE TEMP VIEW mine AS SELECT 1", PinReason.TemporaryObject, "common table expression" },
        { "CREATE TEMP SEQUENCE mine", PinReason.TemporaryObject, "row_number()" },
        { "SELECT pg_temp.mine()", PinReason.TemporaryObject, "creates and drops" },
        { "CREATE TABLE pg_temp.mine (id int)", PinReason.TemporaryObject, "ON COMMIT DROP" },
        { "SELECT pg_advisory_lock(1)", PinReason.SessionLock, "pg_advisory_xact_lock" },
        { "SELECT 1; SELECT pg_try_advisory_lock_shared(1)", PinReason.SessionLock, "pg_advisory_xact_lock" },
        { "PREPARE mine AS SELECT 1", PinReason.PreparedStatement, "command.Prepare()" },
        { "DEALLOCATE ALL", PinReason.PreparedStatement, "command.Prepare()" },
        { "DECLARE mine CURSOR WITH HOLD FOR SELECT 1", PinReason.HoldCursor, "without hold" },
        { "LOAD 'auto_explain'", PinReason.Library, "session_preload_libraries" },
        { "DISCARD ALL", PinReason.Discard, "Leave it out" },
        { "BEGIN", PinReason.TransactionText, "BeginTransaction" },
        { "START TRANSACTION; SELECT 1", PinReason.TransactionText, "BeginTransaction" },
        { "SELECT lastval()", PinReason.SequenceValue, "RETURNING" },
        { "SELECT currval('counter')", PinReason.SequenceValue, "RETURNING" },
        { "SELECT set_config('app.' || 'x', '1', false)", PinReason.Setting, "constant" },
        { "UPDATE pg_settings SET setting = 'mine' WHERE name = 'application_name'", PinReason.Setting, "constant" },
        { "SELECT setseed(0.5)", PinReason.OtherState, "LeaseSessionAsync" },
    };

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("CREATE SEQUENCE IF NOT EXISTS counter");
    }

    [Theory, MemberData(nameof(Statements))]
    public async Task Throw_RefusesIt_AndSendsNothing(string sql, PinReason reason, string remedy)
    {
        var log = new CapturedLog();
        var pool = CreateUnshuffledPool(maxPoolSize: 1, build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();

        foreach (var error in new[]
        {
            await Assert.ThrowsAsync<SessionStateException>(() => connection.RunAsync(sql)),
            Assert.Throws<SessionStateException>(() => connection.Run(sql)),
            await Assert.ThrowsAsync<SessionStateException>(() => connection.ReadAsync(sql)),
        })
        {
            Assert.Equal(reason, error.Reason);
            Assert.Contains(error.Statement!, sql, StringComparison.Ordinal);
            Assert.Contains(error.Statement!, error.Message, StringComparison.Ordinal);
            Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
            Assert.Contains("SessionStatePolicy.Pin", error.Message, StringComparison.Ordinal);
        }

        Assert.Empty(log.Commands);
        Assert.Empty(pool.GetPins());
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task Pin_ThatGetsNoServerConnection_IsGivenUpWithItsStatement()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionState = SessionStatePolicy.Pin);
        await using var connection = await pool.OpenConnectionAsync();
        await using var holder = await pool.OpenConnectionAsync();
        await using (await holder.ReadAsync("SELECT 1"))
        {
            using var cancellation = new CancellationTokenSource();
            var listening = connection.RunAsync("LISTEN news", cancellation.Token);
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => listening);
        }

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        Assert.Empty(pool.GetOldestLeases());
    }

    [Theory, MemberData(nameof(Statements))]
    public async Task Pin_KeepsTheServerConnectionUntilClose_LoggedAndCounted(string sql, PinReason reason, string remedy)
    {
        _ = remedy;
        var log = new CapturedLog();
        var pool = CreatePool(maxPoolSize: 2, configure: options => options.SessionState = SessionStatePolicy.Pin, build: builder => builder.UseLoggerFactory(log));
        await using (var connection = await pool.OpenConnectionAsync())
        {
            await Record.ExceptionAsync(() => connection.RunAsync(sql)); // Some fail on the server, pinned all the same.

            Assert.Equal(LeaseScope.Session, Assert.Single(pool.GetOldestLeases()).Scope);
            Assert.Contains(reason.ToString(), Assert.Single(pool.GetOldestLeases()).Activity, StringComparison.Ordinal);
            Assert.Equal(KeyValuePair.Create(reason, 1L), Assert.Single(pool.GetPins()));
            Assert.Equal(1, log.Count(1102));
            await Record.ExceptionAsync(() => connection.RunAsync("ROLLBACK"));
            var backend = await connection.AskAsync<int>(Sql.BackendId);
            Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
            await Record.ExceptionAsync(() => connection.RunAsync(sql));
            Assert.Equal(1, log.Count(1102));
        }

        Assert.Empty(pool.GetOldestLeases());
    }

    [Fact]
    public async Task OneConnectionMayPin_WhereThePoolThrows()
    {
        var pool = CreatePool(maxPoolSize: 2);
        await using var pinned = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        pinned.SessionState = SessionStatePolicy.Pin;

        Assert.True(await pinned.AskAsync<bool>("SELECT pg_try_advisory_lock(4713)"));
        Assert.Equal(await pinned.AskAsync<int>(Sql.BackendId), await pinned.AskAsync<int>(Sql.BackendId));
        await Assert.ThrowsAsync<SessionStateException>(() => other.RunAsync("SELECT pg_try_advisory_lock(4713)"));
        Assert.Equal(1, pool.GetPins()[PinReason.SessionLock]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LockLibrary_ThatIsGivenADataSource_Works_AsWithPlainNpgsql(bool pooled)
    {
        await using var plain = Npgsql.NpgsqlDataSource.Create($"{ConnectionString};Application Name=lock library");
        System.Data.Common.DbDataSource source = pooled ? CreatePool().WithSessions() : plain;
        await using var holder = await source.OpenConnectionAsync();
        await using var rival = await source.OpenConnectionAsync();

        Assert.True(await holder.AskAsync<bool>("SELECT pg_catalog.pg_try_advisory_lock(4714)"));
        Assert.False(await rival.AskAsync<bool>("SELECT pg_catalog.pg_try_advisory_lock(4714)"));
        Assert.True(await holder.AskAsync<bool>("SELECT pg_catalog.pg_advisory_unlock(4714)"));
        Assert.True(await rival.AskAsync<bool>("SELECT pg_catalog.pg_try_advisory_lock(4714)"));
    }

    [Fact]
    public async Task Pin_InATransaction_OutlastsIt()
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 2, configure: options => options.SessionState = SessionStatePolicy.Pin);
        await using (var connection = await pool.OpenConnectionAsync())
        {
            await using (var transaction = await connection.BeginTransactionAsync())
            {
                await connection.RunAsync("SELECT 1");
                await connection.RunAsync("CREATE TEMP TABLE mine AS SELECT 7 AS id");
                await transaction.CommitAsync();
            }

            Assert.Equal(7, await connection.AskAsync<int>("SELECT id FROM mine"));
            await using (var transaction = await connection.BeginTransactionAsync())
            {
                Assert.Equal(7, await connection.AskAsync<int>("SELECT id FROM mine"));
            }

            Assert.Equal(7, connection.Ask<int>("SELECT id FROM mine"));
        }

        await using var next = await pool.OpenConnectionAsync();
        Assert.True(await next.AskAsync<bool>("SELECT to_regclass('mine') IS NULL"));
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task Pin_AsTheFirstStatementOfATransaction_OutlastsIt()
    {
        var pool = CreatePool(maxPoolSize: 2, configure: options => options.SessionState = SessionStatePolicy.Pin);
        await using var connection = await pool.OpenConnectionAsync();
        using (var transaction = connection.BeginTransaction())
        {
            connection.Run("CREATE TEMP TABLE mine AS SELECT 7 AS id");
            transaction.Commit();
        }

        Assert.Equal(7, await connection.AskAsync<int>("SELECT id FROM mine"));
    }

    [Theory, InlineData(SessionStatePolicy.Throw), InlineData(SessionStatePolicy.Pin)]
    public async Task TransactionText_InATransaction_IsRefused_AndTheTransactionGoesOn(SessionStatePolicy policy)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionState = policy);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("CREATE TABLE gone (id int)");
        await Assert.ThrowsAsync<SessionStateException>(() => connection.RunAsync("COMMIT"));
        await transaction.RollbackAsync();
        Assert.True(await connection.AskAsync<bool>("SELECT to_regclass('gone') IS NULL"));
    }

    [Fact]
    public async Task WhatATransactionSatisfies_IsAllowedInOne()
    {
        var pool = CreatePool(maxPoolSize: 2);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync("CREATE TEMP TABLE mine (id int) ON COMMIT DROP");
            await connection.RunAsync("SELECT pg_advisory_xact_lock(1)");
            await connection.RunAsync("SET LOCAL work_mem = '77MB'");
            await connection.RunAsync("DECLARE c CURSOR FOR SELECT 1");
            await connection.RunAsync("SAVEPOINT s; ROLLBACK TO s; RELEASE s");
            var value = await connection.AskAsync<long>("SELECT nextval('counter')");
            Assert.Equal(value, await connection.AskAsync<long>("SELECT currval('counter')"));
            await transaction.CommitAsync();
        }

        Assert.True(await connection.AskAsync<bool>("SELECT nextval('counter') = lastval()"));
    }

    [Fact]
    public async Task LeasedSession_AllowsEverything()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("report"))
        {
            await connection.RunAsync("CREATE TEMP TABLE mine AS SELECT 7 AS id");
            Assert.Equal(7, await connection.AskAsync<int>("SELECT id FROM mine"));
            await connection.RunAsync("LISTEN news; BEGIN; COMMIT");
        }

        Assert.True(await connection.AskAsync<bool>("SELECT to_regclass('mine') IS NULL AND NOT EXISTS (SELECT FROM pg_listening_channels())"));
        Assert.Equal(KeyValuePair.Create(PinReason.SessionLease, 1L), Assert.Single(pool.GetPins()));
    }

    [Fact]
    public async Task AmbientTransaction_CannotBePinned()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionState = SessionStatePolicy.Pin);
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await using var connection = await pool.OpenConnectionAsync();
        await Assert.ThrowsAsync<SessionStateException>(() => connection.RunAsync("LISTEN news"));
    }

    [Fact]
    public async Task StatementMode_NeverPins()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => (options.SessionState, options.PoolMode) = (SessionStatePolicy.Pin, PoolMode.Statement));
        await using var connection = await pool.OpenConnectionAsync();
        await Assert.ThrowsAsync<SessionStateException>(() => connection.RunAsync("LISTEN news"));
    }

    [Fact]
    public async Task ResetPolicyAlways_ResetsACleanConnection()
    {
        var log = new CapturedLog();
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.ResetPolicy = ResetPolicy.Always, build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT 1");
        connection.Run("SELECT 1");
        Assert.Equal(2, log.Commands.Count(CapturedLog.IsReset));
    }

    [Fact]
    public async Task ResetPolicyNever_LeavesWhatItFinds_ButNoTransaction()
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 1, configure: options => options.ResetPolicy = ResetPolicy.Never);
        await using var connection = await pool.OpenConnectionAsync();
        await using (await connection.LeaseSessionAsync("test"))
        {
            await connection.RunAsync("CREATE TEMP TABLE mine AS SELECT 7 AS id");
            await connection.RunAsync("BEGIN; CREATE TABLE gone (id int)");
        }

        Assert.Equal(7, await connection.AskAsync<int>("SELECT id FROM mine"));
        Assert.True(await connection.AskAsync<bool>("SELECT to_regclass('gone') IS NULL"));
    }
}
