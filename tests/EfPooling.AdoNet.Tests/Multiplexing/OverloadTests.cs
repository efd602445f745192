namespace EfPooling.AdoNet.Tests;

/// <summary>Reads that keep the server busy gain nothing from a shared round trip, and would hold up others in it.</summary>
public sealed class OverloadTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task TextThatTakesTheServerLong_IsSuspended_ThoughItsResultSlotsAreShort()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        for (var round = 0; pool.GetMultiplexingStatistics().Suspended == 0; round++)
        {
            Assert.InRange(round, 0, 50);
            Assert.Single((await pool.GatherAsync(16, (connection, _) => connection.AskAsync<long>("SELECT count(*) FROM generate_series(1, 500000) AS n"))).Distinct());
            await pool.WaitUntilUnusedAsync();
        }
    }

    [Fact]
    public async Task TextsThatNeverComeAgain_AndTakeTheServerLong_StopToBoardToo()
    {
        var log = new CapturedLog();
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseLoggerFactory(log));
        for (var round = 0; log.Count(1138) == 0; round++)
        {
            Assert.InRange(round, 0, 50);
            var first = 4 * round;
            var counts = await pool.GatherAsync(4, (connection, i) => connection.AskAsync<long>($"SELECT {first + i} + count(*) FROM generate_series(1, 500000) AS n"));
            Assert.Equal(Enumerable.Range(1, 4).Select(i => 500_000L + first + i), counts);
            await pool.WaitUntilUnusedAsync();
        }
    }

    [Fact]
    public async Task TextThatTakesTheServerLittle_KeepsTheRightToBoard_HoweverManyTravel()
    {
        var pool = CreateSharingPool(maxPoolSize: 2, build: builder => builder.UseTimeProvider(new ManualTimeProvider()));
        for (var round = 0; round < 50; round++)
        {
            await pool.GatherAsync(64, (connection, _) => connection.AskAsync<int>("SELECT 1"));
        }

        Assert.Equal((0L, 0L), (pool.GetMultiplexingStatistics().Suspended, pool.GetMultiplexingStatistics().Requeued.Values.Sum()));
        await pool.WaitUntilUnusedAsync();
    }
}
