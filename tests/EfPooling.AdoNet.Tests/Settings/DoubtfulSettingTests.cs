using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A setting that was sent, but undone on the server without an error that anybody saw, is not taken to be in force.</summary>
public sealed class DoubtfulSettingTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Tenant = "SELECT current_setting('app.tenant_id', true)";

    // The first rows leave the server at once, because they are large; a later one takes for ever.
    private const string StuckAfterSomeRows = "SELECT repeat('x', 20000) || CASE WHEN n > 3 THEN pg_sleep(1000)::text ELSE '' END FROM generate_series(1, 10) AS n";

    private string? _tenant;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ReaderClosedAfterACancel_LeavesItInDoubt(bool asynchronous)
    {
        await using var connection = await OpenAsync();
        _tenant = "a";
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));

        _tenant = "b";
        await using var command = new LogicalCommand(StuckAfterSomeRows, connection);
        var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        command.Cancel(); // Npgsql says nothing about it when the reader is closed.
        await CloseAsync(reader, asynchronous);

        Assert.Equal("b", await connection.AskAsync<string>(Tenant));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ReaderWhoseCloseTimesOut_LeavesItInDoubt(bool asynchronous)
    {
        await using var connection = await OpenAsync();
        _tenant = "a";
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));

        _tenant = "b";
        await using var command = new LogicalCommand(StuckAfterSomeRows, connection) { CommandTimeout = 1 };
        var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        await CloseAsync(reader, asynchronous);

        Assert.Equal("b", await connection.AskAsync<string>(Tenant));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ScalarThatTimesOutBehindItsFirstRow_LeavesItInDoubt(bool asynchronous)
    {
        await using var connection = await OpenAsync();
        _tenant = "a";
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));

        _tenant = "b";
        await using var command = new LogicalCommand(StuckAfterSomeRows, connection) { CommandTimeout = 1 };
        Assert.NotNull(asynchronous ? await command.ExecuteScalarAsync() : command.ExecuteScalar());

        Assert.Equal("b", await connection.AskAsync<string>(Tenant));
    }

    [Theory]
    [InlineData("RESET ALL")]
    [InlineData("DO $$ BEGIN EXECUTE 'SET app.' || 'tenant_id = ''other'''; END $$")]
    public async Task FirstStatementOfATransaction_ThatMayUndoIt_LeavesItInDoubt(string sql)
    {
        await using var connection = await OpenAsync();
        _tenant = "a";
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync(sql);
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
        await transaction.CommitAsync();
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task SavepointsAsText_LeaveItInDoubt()
    {
        await using var connection = await OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        _tenant = "a";
        await connection.RunAsync("SAVEPOINT before");
        _tenant = "b";
        Assert.Equal("b", await connection.AskAsync<string>(Tenant));
        await connection.RunAsync("ROLLBACK TO before");
        Assert.Equal("b", await connection.AskAsync<string>(Tenant));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FailedTransaction_IsRolledBackToItsSavepoint_WhateverIsInDoubt(bool asText)
    {
        await using var connection = await OpenAsync();
        _tenant = "a";
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("DO $$ BEGIN EXECUTE 'SELECT 1'; END $$"); // Leaves every setting in doubt.
        await (asText ? connection.RunAsync("SAVEPOINT before") : transaction.SaveAsync("before"));
        await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync("DO $$ BEGIN EXECUTE 'SELECT 1 / 0'; END $$"));
        await (asText ? connection.RunAsync("ROLLBACK TO before") : transaction.RollbackAsync("before"));
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
        await transaction.CommitAsync();
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
    }

    [Theory]
    [InlineData("ROLLBACK")]
    [InlineData("COMMIT")]
    public async Task FailedTransactionAsText_IsEnded_WhateverIsInDoubt(string end)
    {
        await using var connection = await OpenAsync(policy: SessionStatePolicy.Pin);
        _tenant = "a";
        await connection.RunAsync("BEGIN");
        await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync("DO $$ BEGIN EXECUTE 'SELECT 1 / 0'; END $$"));
        await connection.RunAsync(end);
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task CommitAsText_RunsWhatWasDeferred_WithWhatIsDeclared()
    {
        await PrepareDatabaseAsync(
            """
            DROP TABLE IF EXISTS deferred; CREATE TABLE deferred (tenant text);
            CREATE OR REPLACE FUNCTION note_tenant() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE deferred SET tenant = current_setting('app.tenant_id', true); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER late AFTER INSERT ON deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_tenant();
            """);
        await using var connection = await OpenAsync(policy: SessionStatePolicy.Pin);
        _tenant = "a";
        await connection.RunAsync("BEGIN");
        await connection.RunAsync("INSERT INTO deferred VALUES ('')");
        await connection.RunAsync("DO $$ BEGIN EXECUTE 'SET app.' || 'tenant_id = ''other'''; END $$");
        await connection.RunAsync("COMMIT");
        Assert.Equal("a", await connection.AskAsync<string>("SELECT tenant FROM deferred"));
    }

    [Fact]
    public async Task TransactionAsText_OnAPinnedConnection_LeavesItInDoubt()
    {
        await using var connection = await OpenAsync(policy: SessionStatePolicy.Pin);
        _tenant = "a";
        await connection.RunAsync("BEGIN");
        _tenant = "b";
        Assert.Equal("b", await connection.AskAsync<string>(Tenant));
        await connection.RunAsync("ROLLBACK");
        Assert.Equal("b", await connection.AskAsync<string>(Tenant));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Keepalive=60")] // Settings do not travel ahead of BEGIN.
    public async Task SettingTakenAwayInATransaction_IsNotThereAfterRollback(string keywords)
    {
        await using var connection = await OpenAsync(keywords);
        _tenant = "a";
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));

        await using (var transaction = await connection.BeginTransactionAsync())
        {
            Assert.Equal("a", await connection.AskAsync<string>(Tenant));
            _tenant = null;
            Assert.Equal("", await connection.AskAsync<string>(Tenant));
            await transaction.RollbackAsync(); // Gives the server connection "a" again, if it was taken away inside.
        }

        Assert.Equal("", await connection.AskAsync<string>(Tenant));
    }

    [Fact]
    public async Task RollbackToASavepoint_IsPossible_WhenTheSettingsAreInDoubt()
    {
        await using var connection = await OpenAsync();
        _tenant = "a";
        await using var transaction = await connection.BeginTransactionAsync();
        await transaction.SaveAsync("before");
        using var cancellation = new CancellationTokenSource();
        var sleeping = connection.RunAsync("SELECT pg_sleep(1000)", cancellation.Token);
        await WaitForQueryAsync(connection.Pool!, "pg_sleep");
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sleeping);

        await transaction.RollbackAsync("before");
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ReaderThatWasGivenAway_AndBreaks_EndsTheTransaction(bool asynchronous)
    {
        await using var connection = await OpenAsync();
        _tenant = "a";
        await using var transaction = await connection.BeginTransactionAsync();
        var command = new LogicalCommand(StuckAfterSomeRows, connection);
        var reader = ((LogicalDataReader)await command.ExecuteReaderAsync()).Detach();
        await Server.TerminateBackendAsync(await WaitForQueryAsync(connection.Pool!, "pg_sleep"));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => ReadAllAsync(reader));
        await reader.DisposeAsync();
        if (asynchronous)
        {
            await command.DisposeAsync();
        }
        else
        {
            command.Dispose();
        }

        await Assert.ThrowsAsync<TransactionBrokenException>(() => connection.RunAsync("SELECT 1"));
        await transaction.RollbackAsync();
        await connection.OpenAsync();
        Assert.Equal("a", await connection.AskAsync<string>(Tenant));
    }

    private async Task<LogicalConnection> OpenAsync(string keywords = "", SessionStatePolicy policy = SessionStatePolicy.Throw)
    {
        var pool = CreatePool(1, keywords, options => options.SessionSetting("app.tenant_id", _ => _tenant).SessionState = policy);
        return await pool.OpenConnectionAsync();
    }

    private static async Task ReadAllAsync(NpgsqlDataReader reader)
    {
        while (await reader.ReadAsync())
        {
        }
    }

    private static async Task CloseAsync(System.Data.Common.DbDataReader reader, bool asynchronous)
    {
        if (asynchronous)
        {
            await reader.DisposeAsync();
        }
        else
        {
            reader.Dispose();
        }
    }
}
