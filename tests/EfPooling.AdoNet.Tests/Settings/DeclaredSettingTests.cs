using Dapper;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Session settings declared for a pool or a connection, above all a tenant for row-level security.</summary>
public sealed class DeclaredSettingTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Tenant = "SELECT current_setting('app.tenant_id', true)";
    private readonly AsyncLocal<string?> _tenant = new();

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync(
            """
            DROP TABLE IF EXISTS note CASCADE;
            CREATE TABLE note (id serial PRIMARY KEY, tenant text NOT NULL DEFAULT current_setting('app.tenant_id'), text text);
            DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN CREATE ROLE reader; END IF; END $$;
            """);
    }

    private TransactionPoolingDataSource CreateTenantPool(int maxPoolSize = 1, string keywords = "", bool required = true)
        => CreatePool(maxPoolSize, keywords, options => options.SessionSetting("app.tenant_id", _ => _tenant.Value, required));

    [Fact]
    public async Task Value_IsInForce_ForEveryKindOfStatement()
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        for (var tenant = 1; tenant <= 3; tenant++)
        {
            var expected = _tenant.Value = $"tenant {tenant}";

            Assert.Equal(expected, await connection.AskAsync<string>(Tenant));
            Assert.Equal(expected, connection.Ask<string>(Tenant));
            Assert.Equal(expected, await connection.QuerySingleAsync<string>(Tenant));
            Assert.Equal(expected, await connection.ExecuteScalarAsync<string>("INSERT INTO note (text) VALUES (@text) RETURNING tenant", new { text = "x" }));
            await using (var reader = await connection.ReadAsync(Tenant))
            {
                Assert.True(await reader.ReadAsync());
                Assert.Equal(expected, reader.GetString(0));
            }

            await using var batch = connection.CreateBatch();
            batch.BatchCommands.Add(new NpgsqlBatchCommand(Tenant));
            batch.BatchCommands.Add(new NpgsqlBatchCommand(Tenant));
            Assert.Equal(expected, await batch.ExecuteScalarAsync());
        }

        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task Value_IsInForce_InTransactions_AndSurvivesRollbackAndSavepoints()
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        _tenant.Value = "before";
        Assert.Equal("before", await connection.AskAsync<string>(Tenant));
        foreach (var commit in new[] { true, false, true })
        {
            _tenant.Value = $"during {commit}";
            await using (var transaction = await connection.BeginTransactionAsync())
            {
                await transaction.SaveAsync("first");
                Assert.Equal(_tenant.Value, await connection.AskAsync<string>(Tenant));
                _tenant.Value = "changed";
                Assert.Equal("changed", await connection.AskAsync<string>(Tenant));
                await transaction.RollbackAsync("first");
                Assert.Equal("changed", await connection.AskAsync<string>(Tenant));
                await (commit ? transaction.CommitAsync() : transaction.RollbackAsync());
            }

            Assert.Equal("changed", await connection.AskAsync<string>(Tenant));
        }

        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task Value_OfAFailedStatement_IsSetAgain()
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        _tenant.Value = "a";
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));

        _tenant.Value = "b"; // Travels with the statement, whose failure undoes it.
        await Assert.ThrowsAsync<PostgresException>(() => connection.AskAsync<int>("SELECT 1/0"));
        Assert.Equal("b", await connection.AskAsync<string>(Tenant));

        _tenant.Value = "c"; // Fails after the first rows.
        await Assert.ThrowsAsync<PostgresException>(() => connection.QueryAsync<int>("SELECT 1/(5000 - n) FROM generate_series(1, 10000) AS n"));
        Assert.Equal("c", await connection.AskAsync<string>(Tenant));

        _tenant.Value = "d"; // Never reaches the server.
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT @x";
        command.Parameters.Add(new NpgsqlParameter<int[,]>("x", NpgsqlTypes.NpgsqlDbType.Integer) { TypedValue = new int[1, 1] });
        await Assert.ThrowsAnyAsync<Exception>(() => command.ExecuteScalarAsync());
        _tenant.Value = "e";
        Assert.Equal("e", await connection.AskAsync<string>(Tenant));
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task NextOwner_WithoutSettings_FindsNone()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var first = await pool.OpenConnectionAsync();
        await using var second = await pool.OpenConnectionAsync();
        first.SetSessionSetting("app.tenant_id", "first");
        first.SetSessionSetting("work_mem", "77MB");
        first.SetSessionSetting("role", "reader");

        Assert.Equal("first 77MB reader", await first.AskAsync<string>("SELECT concat_ws(' ', current_setting('app.tenant_id'), current_setting('work_mem'), current_user)"));
        Assert.Equal("-postgres", await second.AskAsync<string>("SELECT current_setting('app.tenant_id') || '-' || current_user WHERE current_setting('work_mem') <> '77MB'"));
    }

    [Fact]
    public async Task Settings_TravelWithTheStatement()
    {
        var log = new CapturedLog();
        var pool = CreatePool(1, build: builder => builder.UseLoggerFactory(log).ConfigureOptions(o => o.SessionSetting("app.tenant_id", _ => _tenant.Value, required: true)));
        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 10; i++)
        {
            _tenant.Value = $"{i}";
            Assert.Equal(_tenant.Value, await connection.AskAsync<string>(Tenant));
            await using var transaction = await connection.BeginTransactionAsync();
            _tenant.Value = $"{i} again";
            Assert.Equal(_tenant.Value, await connection.AskAsync<string>(Tenant));
            await transaction.RollbackAsync();
        }

        Assert.DoesNotContain(log.Commands, text => text.Contains("set_config", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Keepalive=60")]
    [InlineData("Client Encoding=latin1")]
    public async Task Settings_ThatCannotTravel_TakeARoundTrip(string keywords)
    {
        var pool = CreateTenantPool(keywords: keywords);
        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 3; i++)
        {
            _tenant.Value = $"{i}";
            Assert.Equal(_tenant.Value, await connection.AskAsync<string>(Tenant));
            await using var transaction = await connection.BeginTransactionAsync();
            _tenant.Value = $"{i} again";
            Assert.Equal(_tenant.Value, await connection.AskAsync<string>(Tenant));
            await transaction.RollbackAsync();
        }
    }

    [Fact]
    public async Task LargeValue_IsApplied()
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        _tenant.Value = new string('ä', 20_000);
        Assert.Equal(_tenant.Value, await connection.AskAsync<string>(Tenant));
    }

    [Theory]
    [InlineData("it's; DROP TABLE note; --")]
    [InlineData("\\' OR true --")]
    [InlineData("日本語 \"quoted\" $$")]
    public async Task Value_IsNeverSql(string value)
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        _tenant.Value = value;
        Assert.Equal(value, await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task ValueThatTheServerRefuses_FailsTheStatement_AndAfterTheFirstTimeOnlyIt()
    {
        var pool = CreatePool(1, configure: options => options.SessionSetting("role", _ => _tenant.Value));
        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 5; i++)
        {
            _tenant.Value = "nobody_by_that_name";
            var error = await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync("INSERT INTO note (tenant) VALUES ('refused')"));
            Assert.Equal(PostgresErrorCodes.InvalidParameterValue, error.SqlState);
            _tenant.Value = "reader";
            Assert.Equal("reader", await connection.AskAsync<string>("SELECT current_user::text"));
        }

        Assert.Equal(2L, pool.GetSnapshot().Opened);
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM note WHERE tenant = 'refused'"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TransactionWhoseSettingsAreRefused_RunsNothing_NotEvenWhatNoRollbackUndoes(bool asynchronous)
    {
        await PrepareDatabaseAsync("CREATE SEQUENCE refused_settings; CREATE ROLE refused_reader; GRANT USAGE ON SEQUENCE refused_settings TO refused_reader");
        var pool = CreatePool(1, configure: options => options.SessionSetting("role", _ => _tenant.Value));
        await using var connection = await pool.OpenConnectionAsync();
        foreach (var (role, isTaken) in new[] { ("absent", false), ("refused_reader", true), ("absent", false), ("refused_reader", true) })
        {
            _tenant.Value = role;
            await using var transaction = await connection.BeginTransactionAsync();
            Exception? error = asynchronous
                ? await Record.ExceptionAsync(() => connection.RunAsync("SELECT nextval('refused_settings')"))
                : Record.Exception(() => connection.Run("SELECT nextval('refused_settings')"));
            Assert.Equal(isTaken ? null : PostgresErrorCodes.InvalidParameterValue, (error as PostgresException)?.SqlState);
        }

        Assert.Equal(2L, await AskPlainAsync<long>("SELECT last_value FROM refused_settings"));
        await PrepareDatabaseAsync("DROP SEQUENCE refused_settings; DROP ROLE refused_reader");
    }

    [Fact]
    public async Task CancelledStatement_StillCancelsAtOnce_WhenSettingsTravelWithIt()
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        _tenant.Value = "sleeper";
        using var cancellation = new CancellationTokenSource();
        var sleeping = connection.RunAsync("SELECT pg_sleep(1000)", cancellation.Token);
        await WaitForQueryAsync(pool, "pg_sleep");

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sleeping);
        _tenant.Value = "next";
        Assert.Equal("next", await connection.AskAsync<string>(Tenant));
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task Affinity_PicksTheConnectionThatHasTheSettings()
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 3, configure: options => options.SessionSetting("app.tenant_id", _ => _tenant.Value));
        await using var connection = await pool.OpenConnectionAsync();
        var backends = new Dictionary<string, int>();
        var readers = new List<System.Data.Common.DbDataReader>();
        var connections = new List<LogicalConnection>();
        foreach (var tenant in new[] { "a", "b", "c" })
        {
            _tenant.Value = tenant;
            connections.Add(await pool.OpenConnectionAsync());
            readers.Add(await connections[^1].ReadAsync(Sql.BackendId));
            Assert.True(await readers[^1].ReadAsync());
            backends[tenant] = readers[^1].GetInt32(0);
        }

        readers.ForEach(reader => reader.Dispose());
        connections.ForEach(each => each.Dispose());

        foreach (var tenant in new[] { "b", "a", "c", "c", "a", "b" })
        {
            _tenant.Value = tenant;
            Assert.Equal(backends[tenant], await connection.AskAsync<int>(Sql.BackendId));
        }
    }

    [Fact]
    public async Task SessionLease_HasTheSettings()
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        _tenant.Value = "leased";
        await using (var session = await connection.LeaseSessionAsync("test"))
        {
            Assert.Equal("leased", await session.Connection.AskAsync<string>(Tenant));
        }

        _tenant.Value = "after";
        Assert.Equal("after", await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task Settings_OfAConnection_StayWhenItIsReopened_AndAreCloned()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        connection.SetSessionSetting("APP.tenant_id", "kept");
        await connection.CloseAsync();
        await connection.OpenAsync();
        Assert.Equal("kept", await connection.AskAsync<string>(Tenant));

        await using var clone = (LogicalConnection)((ICloneable)connection).Clone();
        await clone.OpenAsync();
        Assert.Equal("kept", await clone.AskAsync<string>(Tenant));

        connection.SetSessionSetting("app.tenant_id", null);
        Assert.Equal("", await connection.AskAsync<string>(Tenant));
    }
}
