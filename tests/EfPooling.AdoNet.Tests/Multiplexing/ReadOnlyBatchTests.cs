using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Nothing that writes runs twice, or is undone with its read batch, whatever the catalog says of it.</summary>
public sealed class ReadOnlyBatchTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const int Callers = 10;
    private readonly ManualTimeProvider _time = new(); // so that nobody stalls

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync(
            """
            CREATE TABLE IF NOT EXISTS written (n int);
            DELETE FROM written;
            CREATE OR REPLACE FUNCTION write_one() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO written VALUES (1) RETURNING n';
            CREATE OR REPLACE FUNCTION turncoat(n int) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN n; END';
            CREATE SEQUENCE IF NOT EXISTS numbers;
            """);
    }

    [Theory]
    [InlineData("VOLATILE")]
    [InlineData("STABLE")] // Which it is not, and PostgreSQL believes it.
    public async Task FunctionThatWritesFromNowOn_WritesOncePerCall_AndItsTextSharesNoMore(string volatility)
    {
        const string Text = "SELECT turncoat(1)";
        var pool = await CreatePoolThatKnowsAsync(Text);
        await PrepareDatabaseAsync($"CREATE OR REPLACE FUNCTION turncoat(n int) RETURNS int LANGUAGE plpgsql {volatility} AS 'BEGIN RETURN write_one(); END'");
        for (var round = 1; round <= 2; round++)
        {
            await pool.GatherAsync(Callers, (connection, _) => connection.AskAsync<int>(Text));
            Assert.Equal(round * Callers, await AskPlainAsync<long>("SELECT count(*) FROM written"));
            Assert.Equal((2L, 1L), (pool.GetMultiplexingStatistics().Batches, pool.GetMultiplexingStatistics().Suspended));
            await pool.WaitUntilUnusedAsync();
            _time.Advance(TimeSpan.FromDays(1)); // For good.
        }
    }

    [Fact]
    public async Task FunctionThatTakesFromASequenceFromNowOn_LosesNoNumber()
    {
        const string Text = "SELECT turncoat(1)";
        var pool = await CreatePoolThatKnowsAsync(Text);
        await PrepareDatabaseAsync("CREATE OR REPLACE FUNCTION turncoat(n int) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN nextval(''numbers''); END'");
        var numbers = await pool.GatherAsync(Callers, (connection, _) => connection.AskAsync<int>(Text));
        Assert.Equal(Enumerable.Range(1, Callers), numbers.Order());
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task FunctionThatWritesWhenItsCallerReadsAlready_FailsOnce_AndWritesNothing()
    {
        const string Text = "SELECT turncoat(n) FROM generate_series(1, 10000) AS n";
        var pool = await CreatePoolThatKnowsAsync(Text);
        await PrepareDatabaseAsync(
            "CREATE OR REPLACE FUNCTION turncoat(n int) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN CASE WHEN n = 5000 THEN write_one() ELSE n END; END'");
        var failed = 0;
        await pool.GatherAsync(4, async (connection, i) =>
        {
            try
            {
                await using var reader = await connection.ReadAsync(Text);
                while (await reader.ReadAsync())
                {
                }
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ReadOnlySqlTransaction)
            {
                Interlocked.Increment(ref failed);
            }

            return i;
        });
        Assert.Equal(1, failed);
        Assert.Equal(3, await AskPlainAsync<long>("SELECT count(*) FROM written"));
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task ServerThatRefusesReadOnlyBatches_IsAskedAFewTimes_AndAgainAfterAMinute()
    {
        await PrepareDatabaseAsync(
            """
            REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
            DROP ROLE IF EXISTS without_set_config;
            CREATE ROLE without_set_config LOGIN PASSWORD 'secret';
            """);
        var log = new CapturedLog();
        var pool = CreateSharingPool(maxPoolSize: 1, keywords: "Username=without_set_config;Password=secret", build: builder => builder.UseTimeProvider(_time).UseLoggerFactory(log));
        for (var round = 0; round < 5; round++)
        {
            var reads = await pool.GatherAsync(Callers, (connection, i) => connection.AskAsync<int>($"SELECT {i}"));
            Assert.Equal(Enumerable.Range(1, Callers), reads);
            await pool.WaitUntilUnusedAsync();
        }

        Assert.Equal(3L, pool.GetMultiplexingStatistics().Batches);
        foreach (var grant in new[] { "SELECT 1", "GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC" })
        {
            await PrepareDatabaseAsync(grant);
            _time.Advance(TimeSpan.FromMinutes(1));
            for (var round = 0; round < 2; round++)
            {
                Assert.Equal(Enumerable.Range(1, Callers), await pool.GatherAsync(Callers, (connection, i) => connection.AskAsync<int>($"SELECT {i}")));
                await pool.WaitUntilUnusedAsync();
            }
        }

        Assert.Equal((3L + 1 + 2, 4L * Callers, 1), (pool.GetMultiplexingStatistics().Batches, pool.GetMultiplexingStatistics().Requeued.Values.Sum(), log.Count(1135)));
    }

    // The catalog is as old as the pool, so it takes what comes later for what it was.
    private async Task<TransactionPoolingDataSource> CreatePoolThatKnowsAsync(string text)
    {
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(_time));
        await pool.GatherAsync(Callers, (connection, _) => connection.AskAsync<int>(text));
        Assert.Equal((1L, 0L), (pool.GetMultiplexingStatistics().Batches, pool.GetMultiplexingStatistics().Suspended));
        return pool;
    }
}
