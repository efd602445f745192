using Npgsql;

namespace EfPooling.AdoNet.Tests;

public sealed class PreparationTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Text = "SELECT $1 + 1";
    private const string Count = "SELECT count(*) FROM pg_prepared_statements WHERE statement = '" + Text + "'";

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int); INSERT INTO item VALUES (1)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Prepare_LastsOnEveryServerConnectionOnWhichTheCommandRuns(bool asynchronous)
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 2, keywords: "Max Auto Prepare=0");
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand(Text, connection) { Parameters = { new NpgsqlParameter<int> { TypedValue = 1 } } };
        await (asynchronous ? command.PrepareAsync() : Task.Run(command.Prepare));
        var first = await connection.AskAsync<int>(Sql.BackendId);
        Assert.Equal(1L, await connection.AskAsync<long>(Count));

        await using (var other = await pool.OpenConnectionAsync())
        await using (await other.ReadAsync("SELECT 1"))
        {
            Assert.NotEqual(first, await connection.AskAsync<int>(Sql.BackendId));
            Assert.Equal(0L, await connection.AskAsync<long>(Count));
            Assert.Equal(2, asynchronous ? await command.ExecuteScalarAsync() : command.ExecuteScalar());
            Assert.Equal(1L, await connection.AskAsync<long>(Count));
            Assert.Equal(2, asynchronous ? await command.ExecuteScalarAsync() : command.ExecuteScalar());
        }

        command.CommandText = "SELECT $1 + 2";
        Assert.Equal(3, await command.ExecuteScalarAsync());
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT $1 + 2'"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task PreparedBatch_LastsOnEveryServerConnectionToo(bool asynchronous)
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 2, keywords: "Max Auto Prepare=0");
        await using var connection = await pool.OpenConnectionAsync();
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Text) { Parameters = { new NpgsqlParameter<int> { TypedValue = 1 } } });
        await (asynchronous ? batch.PrepareAsync() : Task.Run(batch.Prepare));
        Assert.Equal(1L, await connection.AskAsync<long>(Count));

        await using (var other = await pool.OpenConnectionAsync())
        await using (await other.ReadAsync("SELECT 1"))
        {
            Assert.Equal(0L, await connection.AskAsync<long>(Count));
            Assert.Equal(2, asynchronous ? await batch.ExecuteScalarAsync() : batch.ExecuteScalar());
            Assert.Equal(1L, await connection.AskAsync<long>(Count));
        }
    }

    [Theory]
    [InlineData("SELECT 'mine'")]
    [InlineData("SELECT 'mine' || $1")]
    [InlineData("SELECT 'mine' || @a")]
    public async Task Command_RunAgainOnAnotherServerConnection_NeverRunsThatOnesStatementOfTheSameName(string sql)
    {
        var pool = CreatePool(maxPoolSize: 2, keywords: "Auto Prepare Min Usages=1");
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter(sql.Contains('@', StringComparison.Ordinal) ? "a" : "", ""));
        if (!sql.Contains("||", StringComparison.Ordinal))
        {
            command.Parameters.Clear();
        }

        Assert.Equal("mine", await command.ExecuteScalarAsync());
        await using (await other.ReadAsync("SELECT 1"))
        {
            Assert.Equal("theirs", await connection.AskAsync<string>("SELECT 'theirs'"));
            Assert.Equal("mine", await command.ExecuteScalarAsync());
            Assert.Equal("mine", command.ExecuteScalar());
        }
    }

    [Fact]
    public async Task Batch_RunAgainOnAnotherServerConnection_NeverRunsThatOnesStatementOfTheSameName()
    {
        var pool = CreatePool(maxPoolSize: 2, keywords: "Auto Prepare Min Usages=1");
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 'mine'"));
        Assert.Equal("mine", await batch.ExecuteScalarAsync());

        await using (await other.ReadAsync("SELECT 1"))
        {
            Assert.Equal("theirs", await connection.AskAsync<string>("SELECT 'theirs'"));
            Assert.Equal("mine", await batch.ExecuteScalarAsync());
            Assert.Equal("mine", batch.ExecuteScalar());
        }
    }

    [Fact]
    public async Task BatchCommand_MovedToAnotherBatch_NeverRunsAnotherStatementOfTheSameName()
    {
        var pool = CreatePool(maxPoolSize: 2, keywords: "Auto Prepare Min Usages=1");
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        var moving = new NpgsqlBatchCommand("SELECT $1 || 'mine'") { Parameters = { new NpgsqlParameter<string> { TypedValue = "really " } } };
        await using (var first = connection.CreateBatch())
        {
            first.BatchCommands.Add(moving);
            Assert.Equal("really mine", await first.ExecuteScalarAsync());
        }

        await using (await other.ReadAsync("SELECT 1"))
        {
            await using var second = connection.CreateBatch();
            second.BatchCommands.Add(new NpgsqlBatchCommand("SELECT $1 || 'theirs'") { Parameters = { new NpgsqlParameter<string> { TypedValue = "really " } } });
            Assert.Equal("really theirs", await second.ExecuteScalarAsync());
            second.BatchCommands.Clear();
            second.BatchCommands.Add(moving);
            Assert.Equal("really mine", await second.ExecuteScalarAsync());
        }
    }

    [Fact]
    public async Task Prepare_ThatFails_SaysWhatTheServerSays_AndTheConnectionGoesOn()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("nonsense", connection);

        await Assert.ThrowsAsync<PostgresException>(() => command.PrepareAsync());
        Assert.Throws<PostgresException>(command.Prepare);

        command.CommandText = "SELECT 1";
        Assert.Equal(1, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task AutoPrepare_IsOnByDefault()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 10; i++)
        {
            await using var command = new LogicalCommand(Text, connection) { Parameters = { new NpgsqlParameter<int> { TypedValue = i } } };
            Assert.Equal(i + 1, await command.ExecuteScalarAsync());
        }

        Assert.Equal(1L, await connection.AskAsync<long>(Count));
    }

    [Fact]
    public async Task AutoPrepare_SwitchedOffInTheConnectionString_StaysOff()
    {
        var pool = CreatePool(maxPoolSize: 1, keywords: "Max Auto Prepare=0");
        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 10; i++)
        {
            await connection.RunAsync("SELECT 1");
        }

        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM pg_prepared_statements"));
    }

    [Theory]
    [InlineData("scalar", true, false)]
    [InlineData("scalar", false, false)]
    [InlineData("reader", true, false)]
    [InlineData("reader", false, false)]
    [InlineData("scalar", true, true)]
    [InlineData("scalar", false, true)]
    public async Task OutdatedPlan_OutsideATransaction_RunsAgain(string kind, bool asynchronous, bool explicitly)
    {
        var log = new CapturedLog();
        var pool = CreatePool(maxPoolSize: 1, keywords: "Auto Prepare Min Usages=1", build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT * FROM item", connection);
        if (explicitly)
        {
            await command.PrepareAsync();
        }

        Assert.Equal(1, await command.ExecuteScalarAsync());
        await PrepareDatabaseAsync("ALTER TABLE item ALTER COLUMN id TYPE text");

        if (kind == "scalar")
        {
            Assert.Equal("1", asynchronous ? await command.ExecuteScalarAsync() : command.ExecuteScalar());
        }
        else
        {
            await using var reader = asynchronous ? await command.ExecuteReaderAsync() : command.ExecuteReader();
            Assert.True(await reader.ReadAsync());
            Assert.Equal("1", reader.GetString(0));
        }

        Assert.Equal(1, log.Count(1104));
        Assert.Equal("1", await command.ExecuteScalarAsync());
        Assert.Equal(1, log.Count(1104));
    }

    [Fact]
    public async Task OutdatedPlan_LaterInATransaction_Surfaces_AndTheNextTransactionWorks()
    {
        var pool = CreatePool(maxPoolSize: 1, keywords: "Auto Prepare Min Usages=1");
        await using var connection = await pool.OpenConnectionAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT * FROM item"));
        await PrepareDatabaseAsync("ALTER TABLE item ALTER COLUMN id TYPE text");
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync("CREATE TABLE IF NOT EXISTS first (id int)");
            var error = await Assert.ThrowsAsync<PostgresException>(() => connection.AskAsync<string>("SELECT * FROM item"));
            Assert.Equal(PostgresErrorCodes.FeatureNotSupported, error.SqlState);
        }

        await using var second = await connection.BeginTransactionAsync();
        Assert.Equal("1", await connection.AskAsync<string>("SELECT * FROM item"));
    }

    [Theory]
    [InlineData("reader", true)]
    [InlineData("reader", false)]
    [InlineData("scalar", true)]
    [InlineData("scalar", false)]
    public async Task OutdatedPlan_OfTheFirstStatementOfATransaction_RunsAgainInAnotherOne(string kind, bool asynchronous)
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 1, keywords: "Auto Prepare Min Usages=1");
        await using var connection = await pool.OpenConnectionAsync();
        await connection.AskAsync<int>("SELECT * FROM item");
        await PrepareDatabaseAsync("ALTER TABLE item ALTER COLUMN id TYPE text");

        await using (var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead))
        {
            if (kind == "scalar")
            {
                Assert.Equal("1", asynchronous ? await connection.AskAsync<string>("SELECT * FROM item") : connection.Ask<string>("SELECT * FROM item"));
            }
            else
            {
                await using var command = new LogicalCommand("SELECT * FROM item", connection);
                await using var reader = asynchronous ? await command.ExecuteReaderAsync() : command.ExecuteReader();
                Assert.True(await reader.ReadAsync());
                Assert.Equal("1", reader.GetString(0));
            }

            Assert.Equal("repeatable read", await connection.AskAsync<string>("SHOW transaction_isolation"));
            await connection.RunAsync("INSERT INTO item VALUES ('2')");
            await transaction.CommitAsync();
        }

        Assert.Equal(2L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task OutdatedPlan_InABatchWithErrorBarriers_Surfaces()
    {
        var pool = CreatePool(maxPoolSize: 1, keywords: "Auto Prepare Min Usages=1");
        await using var connection = await pool.OpenConnectionAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT * FROM item"));
        await PrepareDatabaseAsync("ALTER TABLE item ALTER COLUMN id TYPE text; CREATE TABLE IF NOT EXISTS once (id int); TRUNCATE once");
        await using var batch = connection.CreateBatch();
        batch.EnableErrorBarriers = true;
        batch.BatchCommands.Add(new NpgsqlBatchCommand("INSERT INTO once VALUES (1)"));
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT * FROM item"));

        await Assert.ThrowsAsync<PostgresException>(() => batch.ExecuteNonQueryAsync());

        Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM once"));
    }
}
