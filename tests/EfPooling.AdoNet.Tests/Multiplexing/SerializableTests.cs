namespace EfPooling.AdoNet.Tests;

/// <summary>What is read in a serializable transaction holds only if the transaction commits, which a read batch does not if anybody in it fails. So those run alone.</summary>
public sealed class SerializableTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const int Places = 32; // of a read batch
    private const int Callers = 3 * Places;

    [Fact]
    public async Task PoolWhoseTransactionsAreSerializableByDefault_FindsOutOnceAMinute_AndEverybodyRunsAlone()
    {
        var (log, time) = (new CapturedLog(), new ManualTimeProvider());
        var pool = CreateSharingPool(maxPoolSize: 1, keywords: "Options=-c default_transaction_isolation=serializable", build: builder => builder.UseTimeProvider(time).UseLoggerFactory(log));
        for (var round = 0; round < 6; round++)
        {
            time.Advance(TimeSpan.FromSeconds(round == 3 ? 60 : 0));
            Assert.Equal(Enumerable.Range(1, Callers), await pool.GatherAsync(Callers, (connection, i) => connection.AskAsync<int>($"SELECT {i}")));
            await pool.WaitUntilUnusedAsync();
        }

        Assert.Equal((2L, 2L * Places, 1), (pool.GetMultiplexingStatistics().Batches, pool.GetMultiplexingStatistics().Requeued.Values.Sum(), log.Count(1137)));
    }

    [Fact]
    public async Task CallerWhoDeclaresAnIsolationLevel_RunsAlone_AndOthersShare()
    {
        var isSerializable = new AsyncLocal<bool>();
        var pool = CreateSharingPool(
            maxPoolSize: 1, configure: options => options.SessionSetting("default_transaction_isolation", _ => isSerializable.Value ? "serializable" : null));
        var levels = await pool.GatherAsync(10, async (connection, i) =>
        {
            isSerializable.Value = i % 2 == 0;
            return await connection.AskAsync<string>("SELECT current_setting('transaction_isolation')");
        });
        Assert.Equal(Enumerable.Range(1, 10).Select(i => i % 2 == 0 ? "serializable" : "read committed"), levels);
        Assert.Equal(5L, pool.GetMultiplexingStatistics().BatchedReads);
        await pool.WaitUntilUnusedAsync();
    }
}
