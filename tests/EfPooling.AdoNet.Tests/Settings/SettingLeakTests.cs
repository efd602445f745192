using System.Transactions;

namespace EfPooling.AdoNet.Tests;

/// <summary>What one user of a connection, or of a server connection, has set does not reach the next one.</summary>
public sealed class SettingLeakTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Tenant = "SELECT current_setting('app.tenant_id', true)";

    [Fact]
    public async Task SetInAScopeThatOutlivesTheConnection_IsForgottenWithTheConnection()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = pool.CreateConnection();
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await connection.OpenAsync();
            await connection.RunAsync("SET app.tenant_id = 'a'");
            await connection.CloseAsync(); // As a pooled context does when it is given back.
            scope.Complete();
        }

        await connection.OpenAsync();
        Assert.Equal("", await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task SetByAStatementThatOutlivesItsConnection_IsForgottenWithTheConnection()
    {
        var pool = CreatePool(maxPoolSize: 2);
        await using var blocker = await OpenPlainAsync();
        await blocker.RunAsync("SELECT pg_advisory_lock(815)");
        await using var connection = await pool.OpenConnectionAsync();
        var late = connection.RunAsync("SELECT set_config('app.tenant_id', 'a', false) FROM pg_advisory_xact_lock(815)");
        await WaitForQueryAsync(pool, "pg_advisory_xact_lock");
        await connection.CloseAsync();
        await connection.OpenAsync();
        await blocker.RunAsync("SELECT pg_advisory_unlock(815)");
        await late;

        Assert.NotEqual("a", await connection.AskAsync<object>(Tenant));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ResetPolicyNever_DoesNotTrustWhatASessionHasLeft(bool isCall)
    {
        await PrepareDatabaseAsync("CREATE OR REPLACE PROCEDURE become_b() LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'SET app.' || 'tenant_id = ''b'''; END $$");
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.ResetPolicy = ResetPolicy.Never);
        await using var first = await pool.OpenConnectionAsync();
        first.SetSessionSetting("app.tenant_id", "a");
        await using (var session = isCall ? null : await first.LeaseSessionAsync("test"))
        {
            if (session is null)
            {
                await using var other = await pool.OpenConnectionAsync();
                await first.RunAsync("SELECT 1");
                other.SetSessionSetting("app.tenant_id", "c");
                await other.RunAsync("CALL become_b()");
            }
            else
            {
                await session.Connection.RunAsync("SET app.tenant_id = 'b'");
            }
        }

        Assert.Equal("a", await first.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task AnotherSessionAuthorization_DoesNotTakeTheDeclaredRoleAway()
    {
        await PrepareDatabaseAsync(
            """
            DO $$ BEGIN
                CREATE ROLE leak_tenant;
                CREATE ROLE leak_login IN ROLE leak_tenant;
            EXCEPTION WHEN duplicate_object THEN NULL;
            END $$
            """);
        string? login = "leak_login";
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionSetting("role", _ => "leak_tenant", required: true).SessionSetting("session_authorization", _ => login));
        await using var connection = await pool.OpenConnectionAsync();
        Assert.Equal("leak_tenant", await connection.AskAsync<string>("SELECT current_user::text"));
        login = null;
        Assert.Equal("leak_tenant", await connection.AskAsync<string>("SELECT current_user::text"));
    }

    [Fact]
    public async Task AmbientRollback_UndoesWhatAnotherConnectionHasSeenAlready()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var first = pool.CreateConnection();
        await using var second = pool.CreateConnection();
        second.SetSessionSetting("app.tenant_id", "a");
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await first.OpenAsync();
            await second.OpenAsync();
            await first.RunAsync("SET app.tenant_id = 'a'");
            Assert.Equal("a", await second.AskAsync<string>(Tenant));
        }

        Assert.Equal("a", await second.AskAsync<string>(Tenant)); // The server connection has lost it.
    }

    [Fact]
    public async Task ConnectionsOfOneScope_RunOneStatementAtATime()
    {
        var pool = CreatePool(maxPoolSize: 1);
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await using var first = await pool.OpenConnectionAsync();
        await using var second = await pool.OpenConnectionAsync();
        first.SetSessionSetting("app.tenant_id", "a");
        second.SetSessionSetting("app.tenant_id", "b");
        await first.RunAsync("SELECT 1");
        await second.RunAsync("SELECT 1");
        await Task.WhenAll(RepeatAsync(first, "a"), RepeatAsync(second, "b"));

        static Task RepeatAsync(LogicalConnection connection, string tenant) => Task.Run(async () =>
        {
            for (var i = 0; i < 2000; i++)
            {
                try
                {
                    Assert.Equal(tenant, await connection.AskAsync<string>(Tenant));
                }
                catch (ConcurrentUseException)
                {
                    // Met the other one.
                }
            }
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task StatementOfAnotherConnectionInTheScope_IsRefused_AndBothAreNamed(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        await using var first = await pool.OpenConnectionAsync();
        await using var second = await pool.OpenConnectionAsync();
        await using (var reader = await first.ReadAsync("SELECT 'running'"))
        {
            var error = asynchronous
                ? await Assert.ThrowsAsync<ConcurrentUseException>(() => second.RunAsync("SELECT 'refused'"))
                : Assert.Throws<ConcurrentUseException>(() => second.Run("SELECT 'refused'"));
            Assert.Equal(("SELECT 'running'", "SELECT 'refused'"), (error.Running.CommandText, error.Refused.CommandText));
            Assert.Contains("ambient transaction share one server connection", error.Message, StringComparison.Ordinal);
        }

        await second.RunAsync("SELECT 'next'");
    }

    [Fact]
    public async Task PinnedConnection_KeepsWhatItHasSetAfterATransaction()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionState = SessionStatePolicy.Pin);
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SET work_mem = '64MB'");
        await using (var other = await pool.OpenConnectionAsync())
        {
            await other.RunAsync("SELECT 1"); // Without it, so that it must be set again for the pin.
        }

        await connection.RunAsync("CREATE TEMP TABLE mine (id int)");
        await connection.RunAsync("SET work_mem = '1MB'");
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync("SELECT 1");
            await transaction.CommitAsync();
        }

        Assert.Equal("1MB", await connection.AskAsync<string>("SHOW work_mem"));
    }

    [Theory]
    [InlineData(PoolMode.Session)]
    [InlineData(PoolMode.Transaction)]
    public async Task CommitAsText_InATransaction_IsRefusedOnAPinnedConnectionToo(PoolMode mode)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => (options.PoolMode, options.SessionState) = (mode, SessionStatePolicy.Pin));
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("LISTEN news");
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("SELECT 1");
        await Assert.ThrowsAsync<SessionStateException>(() => connection.RunAsync("SELECT 1; COMMIT"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SessionLease_WhoseSettingsAreRefused_LeavesNothingLeased(bool isAmbient)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.PoolMode = isAmbient ? PoolMode.Transaction : PoolMode.Session);
        using (isAmbient ? new TransactionScope(TransactionScopeAsyncFlowOption.Enabled) : null)
        {
            await using var connection = await pool.OpenConnectionAsync();
            connection.SetSessionSetting("statement_timeout", "nonsense");
            await Assert.ThrowsAsync<Npgsql.PostgresException>(async () => await connection.LeaseSessionAsync("test"));
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task PinThatDidNotHappen_PinsNothingLater()
    {
        string? tenant = null;
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionSetting("app.tenant_id", _ => tenant, required: true).SessionState = SessionStatePolicy.Pin);
        await using var connection = await pool.OpenConnectionAsync();
        await Assert.ThrowsAsync<SessionSettingMissingException>(() => connection.RunAsync("LISTEN news"));
        tenant = "a";
        await connection.RunAsync("SELECT 1");
        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Empty(pool.GetPins());
    }
}
