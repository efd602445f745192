namespace EfPooling.AdoNet.Tests;

/// <summary>Shuffle mode: code that secretly depends on its session fails, all other code does not notice.</summary>
public sealed class ShuffleTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync(
            """
            CREATE OR REPLACE FUNCTION remember(value text) RETURNS text LANGUAGE sql AS $$ SELECT set_config('my.memory', value, false) $$;
            CREATE OR REPLACE FUNCTION recall() RETURNS text LANGUAGE sql AS $$ SELECT current_setting('my.memory', true) $$;
            CREATE SEQUENCE IF NOT EXISTS counter;
            CREATE OR REPLACE FUNCTION count_on() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('counter') $$;
            CREATE OR REPLACE FUNCTION last_count() RETURNS bigint LANGUAGE sql AS $$ SELECT lastval() $$;
            """);
    }

    private TransactionPoolingDataSource CreateShuffled(int maxPoolSize = 3) => CreatePool(maxPoolSize, configure: options => options.Shuffle = true);

    [Theory, InlineData(2), InlineData(5)]
    public async Task EveryCommandAndTransaction_GetsAnotherServerConnection(int maxPoolSize)
    {
        var pool = CreateShuffled(maxPoolSize);
        await using var connection = await pool.OpenConnectionAsync();
        var last = 0;
        for (var i = 0; i < 20; i++)
        {
            last = NotThe(last, await connection.AskAsync<int>(Sql.BackendId));
            last = NotThe(last, connection.Ask<int>(Sql.BackendId));
            await using (var transaction = await connection.BeginTransactionAsync())
            {
                var mine = NotThe(last, await connection.AskAsync<int>(Sql.BackendId));
                Assert.Equal(mine, await connection.AskAsync<int>(Sql.BackendId));
                last = mine;
                await transaction.CommitAsync();
            }

            await connection.CloseAsync();
            await connection.OpenAsync();
        }

        static int NotThe(int last, int next)
        {
            Assert.NotEqual(last, next);
            return next;
        }
    }

    [Fact]
    public async Task OneCaller_NeedsNoMoreThanTwoServerConnections()
    {
        var pool = CreateShuffled();
        await pool.WarmUpAsync();
        while (pool.GetSnapshot().Idle < 2)
        {
            await Task.Yield(); // The second one is opened behind the first.
        }

        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 50; i++)
        {
            await connection.RunAsync("SELECT 1");
        }

        Assert.Equal(2L, pool.GetSnapshot().Opened);
    }

    [Theory, InlineData(1), InlineData(3)]
    public async Task HiddenSessionState_IsGone(int maxPoolSize)
    {
        var pool = CreateShuffled(maxPoolSize);
        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 6; i++)
        {
            await connection.RunAsync("SELECT remember('planted')");
            Assert.NotEqual("planted", await connection.AskAsync<string>("SELECT coalesce(recall(), '')"));
        }
    }

    [Fact]
    public async Task HiddenUseOfASequence_FailsOrGetsAForeignValue()
    {
        var pool = CreateShuffled();
        await using var connection = await pool.OpenConnectionAsync();
        var outcomes = new HashSet<string>();
        for (var i = 0; i < 12; i++)
        {
            var mine = await connection.AskAsync<long>("SELECT count_on()");
            try
            {
                var theirs = await connection.AskAsync<long>("SELECT last_count()");
                Assert.NotEqual(mine, theirs);
                outcomes.Add("foreign");
            }
            catch (Npgsql.PostgresException e) when (e.SqlState == Npgsql.PostgresErrorCodes.ObjectNotInPrerequisiteState)
            {
                outcomes.Add("failed");
            }
        }

        Assert.Equal(["failed", "foreign"], outcomes.Order());
    }

    [Fact]
    public async Task SettingsOfTheConnection_AreStillThere()
    {
        var pool = CreateShuffled();
        await using var connection = await pool.OpenConnectionAsync();
        connection.SetSessionSetting("app.tenant_id", "7");
        await connection.RunAsync("SET work_mem = '77MB'");
        for (var i = 0; i < 6; i++)
        {
            Assert.Equal("7 77MB", await connection.AskAsync<string>("SELECT concat_ws(' ', current_setting('app.tenant_id'), current_setting('work_mem'))"));
        }
    }

    [Fact]
    public async Task LeasedSession_IsNotShuffled()
    {
        var pool = CreateShuffled();
        await using var connection = await pool.OpenConnectionAsync();
        await using var session = await connection.LeaseSessionAsync("test");
        var backend = await connection.AskAsync<int>(Sql.BackendId);
        Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
    }

    [Fact]
    public async Task ManyCallers_AreAllServed()
    {
        var pool = CreateShuffled(maxPoolSize: 4);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Run(async () =>
        {
            await using var connection = await pool.OpenConnectionAsync();
            for (var i = 0; i < 10; i++)
            {
                var before = await connection.AskAsync<int>(Sql.BackendId);
                Assert.NotEqual(before, await connection.AskAsync<int>(Sql.BackendId));
            }
        })));
        Assert.True(pool.GetSnapshot().ServerConnections <= 4);
    }

    [Fact]
    public void RuntimeSwitch_IsTheDefault()
    {
        var before = new TransactionPoolingOptions().Shuffle;
        try
        {
            AppContext.SetSwitch("EfPooling.Shuffle", !before);
            Assert.Equal(!before, new TransactionPoolingOptions().Shuffle);
        }
        finally
        {
            AppContext.SetSwitch("EfPooling.Shuffle", before);
        }
    }
}
