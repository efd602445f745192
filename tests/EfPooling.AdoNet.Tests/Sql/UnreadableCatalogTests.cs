namespace EfPooling.AdoNet.Tests;

/// <summary>The catalog is an optimisation: what keeps it from being read keeps nobody from the server.</summary>
public sealed class UnreadableCatalogTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LockedSystemTable_WithASmallCommandTimeout_DelaysNobodysService_AndIsReadLater(bool isAsync)
    {
        var time = new ManualTimeProvider();
        var pool = CreateUnshuffledPool(maxPoolSize: 2, keywords: "Command Timeout=1", build: builder => builder.UseTimeProvider(time));
        await using (var locker = await OpenPlainAsync())
        {
            await locker.RunAsync("BEGIN; LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE");
            await AskAsync(pool, isAsync);
            await AskAsync(pool, isAsync);
            Assert.False(pool.Catalog.IsKnown);
            Assert.Equal((1L, 0L), (pool.GetSnapshot().Opened, pool.GetSnapshot().OpenFailures));
        }

        time.Advance(TimeSpan.FromSeconds(30));
        await AskAsync(pool, isAsync);

        Assert.True(pool.Catalog.IsKnown);
    }

    [Fact]
    public async Task ThousandsOfViews_KeepNobodyFromTheServer()
    {
        await PrepareDatabaseAsync("DO $$ BEGIN FOR n IN 1..3000 LOOP EXECUTE format('CREATE VIEW v%s AS SELECT relname, %s AS n FROM pg_class', n, n); END LOOP; END $$");
        var pool = CreatePool(maxPoolSize: 2, keywords: "Command Timeout=1");

        await AskAsync(pool, isAsync: true);
        await AskAsync(pool, isAsync: false);

        Assert.Equal(0, pool.GetSnapshot().OpenFailures);
    }

    [Fact]
    public async Task SystemTableThatIsLockedMeanwhile_MakesNothingFail()
    {
        var time = new ManualTimeProvider();
        var pool = CreateUnshuffledPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(time));
        await AskAsync(pool, isAsync: true);
        Assert.True(pool.Catalog.IsKnown);
        await using var locker = await OpenPlainAsync();
        await locker.RunAsync("BEGIN; LOCK TABLE pg_catalog.pg_policy IN ACCESS EXCLUSIVE MODE");
        pool.Clear();
        time.Advance(TimeSpan.FromHours(1));

        await AskAsync(pool, isAsync: true);
        await AskAsync(pool, isAsync: false);

        Assert.Equal((2L, 0L), (pool.GetSnapshot().Opened, pool.GetSnapshot().OpenFailures));
    }

    private static async Task AskAsync(TransactionPoolingDataSource pool, bool isAsync)
    {
        if (isAsync)
        {
            await using var connection = await pool.OpenConnectionAsync();
            Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        }
        else
        {
            using var connection = pool.OpenConnection();
            Assert.Equal(1, connection.Ask<int>("SELECT 1"));
        }
    }
}
