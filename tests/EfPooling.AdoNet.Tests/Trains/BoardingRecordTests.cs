using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Texts whose turns take long lose the right to board, for a time.</summary>
public sealed class BoardingRecordTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly long Slow = TimeSpan.FromSeconds(1).Ticks;
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void PureRead_MayBoard_AndOthersNever()
    {
        Assert.True(new BoardingRecord(null, isPureRead: true).MayBoard(0));
        Assert.False(new BoardingRecord(null, isPureRead: false).MayBoard(long.MaxValue));
    }

    [Fact]
    public void OneSlowTurn_HoweverSlow_BarsNobody()
    {
        var record = new BoardingRecord(null, isPureRead: true);
        Assert.False(record.OnServed(TimeSpan.FromHours(1).Ticks, now: 0));
        Assert.True(record.MayBoard(0));
    }

    [Fact]
    public void TurnsWithinTheLimit_BarNobody()
    {
        var record = new BoardingRecord(null, isPureRead: true);
        Assert.DoesNotContain(true, Enumerable.Range(0, 1000).Select(_ => record.OnServed(BoardingRecord.CostLimit.Ticks, now: 0)));
    }

    [Fact]
    public void EachBar_IsTwiceAsLongAsTheOneBefore_UpToAMinute()
    {
        var record = new BoardingRecord(null, isPureRead: true);
        long now = 0;
        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60, 60 })
        {
            Bar(record, now);
            now += TimeSpan.FromSeconds(seconds).Ticks;
            Assert.False(record.MayBoard(now - 1));
            Assert.True(record.MayBoard(now));
        }
    }

    [Fact]
    public async Task TextWithSlowTurns_RunsAlone_UntilItsParoleBegins()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(_time));
        while (pool.GetTrains().Barred == 0)
        {
            await ReadAsync(pool, slowly: true);
        }

        var before = pool.GetTrains().Passengers;
        Assert.Equal(before, await ReadAsync(pool, slowly: false));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(before + 4, await ReadAsync(pool, slowly: false));
    }

    private static void Bar(BoardingRecord record, long now)
    {
        while (!record.OnServed(Slow, now))
        {
        }
    }

    /// <returns>How many passengers there have been.</returns>
    private async Task<long> ReadAsync(TransactionPoolingDataSource pool, bool slowly)
    {
        await pool.GatherAsync(4, async (connection, i) =>
        {
            await using var command = new LogicalCommand("SELECT $1", connection) { Parameters = { new NpgsqlParameter<int> { TypedValue = i } } };
            await using var reader = await command.ExecuteReaderAsync();
            Assert.True(await reader.ReadAsync());
            Assert.Equal(i, reader.GetInt32(0));
            _time.Advance(slowly ? TimeSpan.FromMilliseconds(15) : TimeSpan.Zero); // Looked at once: too short for a stall.
            return 0;
        });
        await pool.WaitUntilUnusedAsync();
        return pool.GetTrains().Passengers;
    }
}
