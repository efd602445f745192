using System.Data.Common;
using System.Transactions;
using Dapper;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Settings that SQL changes outside a transaction, or in one that commits, stay with the logical connection and with nobody else.</summary>
public sealed class FollowedSettingTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Show = "SELECT concat_ws('|', current_setting('work_mem'), current_setting('app.x', true), current_user, current_setting('search_path'), current_setting('TimeZone'))";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'somebody') THEN CREATE ROLE somebody; END IF; END $$");
    }

    [Theory]
    [InlineData("SET work_mem = '77MB'")]
    [InlineData("SET SESSION work_mem TO '77MB'")]
    [InlineData("SELECT set_config('work_mem', '77MB', false)")]
    [InlineData("SELECT 1; SET work_mem = '77MB'; SELECT 2")]
    [InlineData("SET app.x = 'it''s'")]
    [InlineData("SELECT set_config('App.X', 'it''s', false)")]
    [InlineData("SET ROLE somebody")]
    [InlineData("SET SESSION AUTHORIZATION somebody")]
    [InlineData("SET search_path = \"A b\", public")]
    [InlineData("SET SCHEMA 'nowhere'")]
    [InlineData("SET TIME ZONE 'Asia/Tokyo'")]
    [InlineData("SET TIME ZONE INTERVAL '+02:30' HOUR TO MINUTE")]
    [InlineData("SET DateStyle = 'SQL, DMY'; SET work_mem = '77MB'")]
    [InlineData("DO $$ BEGIN SET work_mem = '77MB'; END $$")]
    [InlineData("SELECT pg_catalog.\"set_config\"('work_mem', '77MB', false) FROM generate_series(1, 2)")]
    public async Task Setting_FollowsItsConnection_AndNobodyElse(string sql)
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 2);
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        var before = await other.AskAsync<string>(Show);

        await connection.RunAsync(sql);
        var after = await connection.AskAsync<string>(Show);

        Assert.NotEqual(before.Replace("|", ""), after.Replace("|", ""));
        await using (var occupied = await OccupyAsync(pool, await connection.AskAsync<int>(Sql.BackendId)))
        {
            Assert.Equal(after, await connection.AskAsync<string>(Show));
            Assert.Equal(after, connection.Ask<string>(Show));
            await using var transaction = await connection.BeginTransactionAsync();
            Assert.Equal(after, await connection.AskAsync<string>(Show));
            await transaction.RollbackAsync();
        }

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(before.Replace("|", ""), (await other.AskAsync<string>(Show)).Replace("|", ""));
            Assert.Equal(after, await connection.AskAsync<string>(Show));
        }

        await connection.CloseAsync();
        await connection.OpenAsync();
        Assert.Equal(before.Replace("|", ""), (await connection.AskAsync<string>(Show)).Replace("|", ""));
        Assert.Equal(0, pool.GetSnapshot().Retired.Values.Sum());
    }

    // Takes the one server connection of a pool of two that has this backend, so that another one must be used.
    private static async Task<IAsyncDisposable> OccupyAsync(TransactionPoolingDataSource pool, int backend)
    {
        var holders = new List<LogicalConnection>();
        LogicalConnection? found = null;
        while (found is null)
        {
            var holder = await pool.OpenConnectionAsync();
            await holder.BeginTransactionAsync();
            if (await holder.AskAsync<int>(Sql.BackendId) == backend)
            {
                found = holder;
            }
            else
            {
                holders.Add(holder);
            }
        }

        foreach (var holder in holders)
        {
            await holder.DisposeAsync();
        }

        return found;
    }

    [Fact]
    public async Task SetWithoutQuotes_AndSettingsGivenByParameters_Follow()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await connection.ExecuteAsync("SELECT set_config('app.x', @value, false)", new { value = "by parameter" });
        Assert.Equal("", await other.AskAsync<string>("SELECT coalesce(current_setting('app.x', true), '')"));
        Assert.Equal("by parameter", await connection.AskAsync<string>("SELECT current_setting('app.x')"));
    }

    [Theory]
    [InlineData(true, "77MB")]
    [InlineData(false, "4MB")]
    public async Task SettingInATransaction_FollowsIfItCommits(bool commit, string expected)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync("SET work_mem = '77MB'");
            Assert.Equal("77MB", await connection.AskAsync<string>("SHOW work_mem"));
            await (commit ? transaction.CommitAsync() : transaction.RollbackAsync());
        }

        await UseByAnotherAsync(pool);
        Assert.Equal(expected, await connection.AskAsync<string>("SHOW work_mem"));
    }

    [Fact]
    public async Task SettingRolledBackToASavepoint_DoesNotFollow()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync("SET app.x = 'kept'");
            await transaction.SaveAsync("s");
            await connection.RunAsync("SET app.x = 'undone'");
            await transaction.RollbackAsync("s");
            await transaction.CommitAsync();
        }

        await UseByAnotherAsync(pool);
        Assert.Equal("kept", await connection.AskAsync<string>("SELECT current_setting('app.x')"));
    }

    [Fact]
    public async Task SettingOfAFailedText_DoesNotFollow()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SET work_mem = '66MB'");
        await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync("SET work_mem = '77MB'; SELECT 1/0"));
        await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync("SET work_mem = 'nonsense'"));
        Assert.Equal("66MB", await connection.AskAsync<string>("SHOW work_mem"));
        await UseByAnotherAsync(pool);
        Assert.Equal("66MB", await connection.AskAsync<string>("SHOW work_mem"));
    }

    [Theory]
    [InlineData("RESET work_mem")]
    [InlineData("SET work_mem TO DEFAULT")]
    [InlineData("RESET ALL")]
    [InlineData("SELECT set_config('work_mem', NULL, false)")]
    public async Task SettingThatIsSetBack_FollowsNoMore_AndTheConnectionIsClean(string sql)
    {
        var log = new CapturedLog();
        var pool = CreateUnshuffledPool(maxPoolSize: 1, build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SET work_mem = '77MB'");
        await connection.RunAsync(sql);
        Assert.Equal("4MB", await connection.AskAsync<string>("SHOW work_mem"));
        await UseByAnotherAsync(pool);
        Assert.Equal("4MB", await connection.AskAsync<string>("SHOW work_mem"));
        Assert.DoesNotContain(log.Commands, text => text.Contains("RESET ALL", StringComparison.Ordinal) && text != sql && text.Contains("UNLISTEN", StringComparison.Ordinal));
    }

    [Fact]
    public async Task SetLocal_EndsWithItsTransaction()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync("SET LOCAL work_mem = '77MB'");
            Assert.Equal("77MB", await connection.AskAsync<string>("SHOW work_mem"));
            await transaction.CommitAsync();
        }

        Assert.Equal("4MB", await connection.AskAsync<string>("SHOW work_mem"));
    }

    [Fact]
    public async Task SettingInAnAmbientTransaction_FollowsTheConnectionThatSetIt()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var first = pool.CreateConnection();
        await using var second = pool.CreateConnection();
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await first.OpenAsync();
            await second.OpenAsync();
            await first.RunAsync("SET app.x = 'first'");
            second.SetSessionSetting("app.x", "second");
            Assert.Equal("second", await second.AskAsync<string>("SELECT current_setting('app.x')"));
            Assert.Equal("first", await first.AskAsync<string>("SELECT current_setting('app.x')"));
            scope.Complete();
        }

        Assert.Equal("second", await second.AskAsync<string>("SELECT current_setting('app.x')"));
        Assert.Equal("first", await first.AskAsync<string>("SELECT current_setting('app.x')"));
    }

    [Theory]
    [InlineData("SET app.tenant_id = 'other'")]
    [InlineData("SELECT set_config('APP.tenant_id', 'other', false)")]
    [InlineData("RESET app.tenant_id")]
    public async Task DeclaredSetting_CannotBeChangedBySql(string sql)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionSetting("app.tenant_id", "declared"));
        await using var connection = await pool.OpenConnectionAsync();
        var error = await Assert.ThrowsAsync<SessionStateException>(() => connection.RunAsync(sql));
        Assert.Contains("'app.tenant_id'", error.Message, StringComparison.Ordinal);
        Assert.Throws<SessionStateException>(() => connection.Run(sql));
        await using var session = await connection.LeaseSessionAsync("test");
        await Assert.ThrowsAsync<SessionStateException>(() => connection.RunAsync(sql));
        Assert.Equal("declared", await connection.AskAsync<string>("SELECT current_setting('app.tenant_id')"));
    }

    [Theory]
    [InlineData("RESET ALL")]
    [InlineData("DO $$ BEGIN EXECUTE 'SET app.' || 'tenant_id = 7'; END $$")]
    [InlineData("DO $$ BEGIN PERFORM set_config('app.' || 'tenant_id', '7', false); END $$")]
    public async Task DeclaredSetting_ThatSqlChangesBehindOurBack_IsSetAgain(string sql)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => (options.SessionState, _) = (SessionStatePolicy.Pin, options.SessionSetting("app.tenant_id", "declared")));
        await using (var connection = await pool.OpenConnectionAsync())
        {
            await connection.RunAsync("SELECT 1");
            await connection.RunAsync(sql);
            Assert.Equal("declared", await connection.AskAsync<string>("SELECT current_setting('app.tenant_id')"));
            await using var transaction = await connection.BeginTransactionAsync();
            await connection.RunAsync(sql);
            Assert.Equal("declared", await connection.AskAsync<string>("SELECT current_setting('app.tenant_id')"));
            await transaction.CommitAsync();
        }

        await using var next = await pool.OpenConnectionAsync();
        Assert.Equal("declared", await next.AskAsync<string>("SELECT current_setting('app.tenant_id')"));
    }

    [Fact]
    public async Task SettingLostWithItsServerConnection_IsReported()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (await connection.LeaseSessionAsync("test"))
        {
            await connection.RunAsync("SET app.x = 'lost'");
            await Server.TerminateBackendAsync(await connection.AskAsync<int>(Sql.BackendId));
        }

        var error = await Assert.ThrowsAsync<SessionStateException>(() => connection.RunAsync("SELECT 1"));
        Assert.Contains("'app.x'", error.Message, StringComparison.Ordinal);
        await connection.CloseAsync();
        await connection.OpenAsync();
        await connection.RunAsync("SELECT 1");
    }

    [Fact]
    public async Task SettingInATransactionThatBreaks_EndsWithTheConnection()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SET app.x = 'before'");
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync("SET app.x = 'during'");
            await Server.TerminateBackendAsync(await connection.AskAsync<int>(Sql.BackendId));
            await Assert.ThrowsAnyAsync<DbException>(() => connection.RunAsync("SELECT 1"));
        }

        Assert.Equal(System.Data.ConnectionState.Closed, connection.State); // And what followed it ended with it.
        await connection.OpenAsync();
        Assert.Equal("", await connection.AskAsync<string>("SELECT coalesce(current_setting('app.x', true), '')"));
    }

    private static async Task UseByAnotherAsync(TransactionPoolingDataSource pool)
    {
        await using var other = await pool.OpenConnectionAsync();
        Assert.Equal("4MB-", await other.AskAsync<string>("SELECT current_setting('work_mem') || '-' || coalesce(current_setting('app.x', true), '')"));
    }
}
