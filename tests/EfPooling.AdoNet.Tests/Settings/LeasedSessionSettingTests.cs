using System.Transactions;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Declared settings hold for the commands of a logical connection, whatever is done past it on its leased session.</summary>
public sealed class LeasedSessionSettingTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Tenant = "SELECT current_setting('app.tenant_id', true)";

    [Theory]
    [InlineData("SET app.tenant_id = 'other'")]
    [InlineData("SELECT set_config('app.tenant_id', 'other', false)")]
    [InlineData("BEGIN; SET LOCAL app.tenant_id = 'other'")]
    [InlineData("BEGIN; SET app.tenant_id = 'other'")]
    [InlineData("BEGIN; SET app.tenant_id = 'other'; COMMIT")]
    [InlineData("RESET ALL")]
    [InlineData("DISCARD ALL")]
    public async Task StatementPastTheConnection_DoesNotChangeThem(string sql)
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("settings of its own"))
        {
            await session.Connection.RunAsync(sql);
            Assert.Equal("a", await connection.AskAsync<string>(Tenant));
            await session.Connection.RunAsync(sql);
            Assert.Equal("a", connection.Ask<string>(Tenant));
        }

        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
        Assert.Equal((2L, 0), (pool.GetSnapshot().Opened, pool.GetSnapshot().InUse)); // What was used past us is closed.
    }

    [Fact]
    public async Task RollbackPastTheConnection_TakesThemBack_AndTheyAreSetAgain()
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var session = await connection.LeaseSessionAsync("a transaction of its own");
        await session.Connection.RunAsync("SET app.tenant_id = 'other'");
        await session.Connection.RunAsync("BEGIN");
        Assert.Equal("a", await connection.AskAsync<string>(Tenant)); // Set inside the transaction.
        await session.Connection.RunAsync("ROLLBACK");
        Assert.Equal("other", await session.Connection.AskAsync<string>(Tenant)); // Its user's own affair.
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task TransactionOfTheSession_HasThem()
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var session = await connection.LeaseSessionAsync("settings of its own");
        await session.Connection.RunAsync("SET app.tenant_id = 'other'");
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            Assert.Equal("a", await connection.AskAsync<string>(Tenant));
            await session.Connection.RunAsync("SET app.tenant_id = 'other'");
            Assert.Equal("a", await connection.AskAsync<string>(Tenant));
            await transaction.RollbackAsync();
        }

        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task SessionInATransaction_DoesNotChangeThem()
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using (var session = await connection.LeaseSessionAsync("settings of its own"))
            {
                await session.Connection.RunAsync("SET app.tenant_id = 'other'");
                Assert.Equal("a", await connection.AskAsync<string>(Tenant));
                await session.Connection.RunAsync("SET app.tenant_id = 'other'");
            }

            Assert.Equal("a", await connection.AskAsync<string>(Tenant)); // The session has ended, its transaction has not.
            await transaction.CommitAsync();
        }

        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task SessionInAnAmbientTransaction_IsForOneConnection_AndDoesNotChangeThem()
    {
        var pool = CreateTenantPool();
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("a long copy"))
        {
            await session.Connection.RunAsync("SET app.tenant_id = 'other'");
            Assert.Equal("a", await connection.AskAsync<string>(Tenant));

            var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => other.AskAsync<string>(Tenant));
            Assert.Equal("a long copy", error.Running.CommandText);
            Assert.Equal(Tenant, error.Refused.CommandText);
            await session.Connection.RunAsync("SET app.tenant_id = 'other'");
        }

        Assert.Equal("a", await other.AskAsync<string>(Tenant));
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
        scope.Complete();
    }

    [Fact]
    public async Task FailedTransactionOfTheSession_CanBeRolledBackAsText()
    {
        var pool = CreateTenantPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var session = await connection.LeaseSessionAsync("a transaction of its own");
        await connection.RunAsync("BEGIN");
        await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync("SELECT nonsense"));
        await connection.RunAsync("ROLLBACK");
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task SettingWithoutAValue_IsTakenBackToo()
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 1, configure: options => options.SessionSetting("app.tenant_id", _ => null));
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("settings of its own"))
        {
            await session.Connection.RunAsync("SET app.tenant_id = 'other'");
            Assert.Equal("", await connection.AskAsync<string>($"SELECT coalesce(({Tenant}), '')"));
            await session.Connection.RunAsync("SET app.tenant_id = 'other'");
        }

        await using (var session = await other.LeaseSessionAsync("the next one"))
        {
            Assert.Equal("", await session.Connection.AskAsync<string>($"SELECT coalesce(({Tenant}), '')"));
        }
    }

    private TransactionPoolingDataSource CreateTenantPool()
        => CreateUnshuffledPool(maxPoolSize: 1, configure: options => options.SessionSetting("app.tenant_id", _ => "a", required: true));
}
