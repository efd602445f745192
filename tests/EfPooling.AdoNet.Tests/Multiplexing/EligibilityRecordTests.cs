using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Texts that take long are suspended for a time.</summary>
public sealed class EligibilityRecordTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly long Slow = TimeSpan.FromSeconds(1).Ticks;
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void PureRead_MayShare_AndOthersNever()
    {
        Assert.True(new EligibilityRecord(null, isPureRead: true).MayShare(0));
        Assert.False(new EligibilityRecord(null, isPureRead: false).MayShare(long.MaxValue));
    }

    [Fact]
    public void OneSlowResult_HoweverSlow_SuspendsNothing()
    {
        var record = new EligibilityRecord(null, isPureRead: true);
        Assert.False(record.OnServed(TimeSpan.FromHours(1).Ticks, now: 0));
        Assert.True(record.MayShare(0));
    }

    [Fact]
    public void ResultsWithinTheLimit_SuspendNothing()
    {
        var record = new EligibilityRecord(null, isPureRead: true);
        Assert.DoesNotContain(true, Enumerable.Range(0, 1000).Select(_ => record.OnServed(EligibilityRecord.CostLimit.Ticks, now: 0)));
    }

    [Fact]
    public void EachBar_IsTwiceAsLongAsTheOneBefore_UpToAMinute()
    {
        var record = new EligibilityRecord(null, isPureRead: true);
        long now = 0;
        foreach (var seconds in new[] { 1, 2, 4, 8, 16, 32, 60, 60, 60 })
        {
            Suspend(record, now);
            now += TimeSpan.FromSeconds(seconds).Ticks;
            Assert.False(record.MayShare(now - 1));
            Assert.True(record.MayShare(now));
        }
    }

    [Fact]
    public async Task TextWithSlowResults_RunsSolo_UntilItsSuspensionEnds()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(_time));
        while (pool.GetMultiplexingStatistics().Suspended == 0)
        {
            await ReadAsync(pool, slowly: true);
        }

        var before = pool.GetMultiplexingStatistics().BatchedReads;
        Assert.Equal(before, await ReadAsync(pool, slowly: false));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(before + 4, await ReadAsync(pool, slowly: false));
    }

    private static void Suspend(EligibilityRecord record, long now)
    {
        while (!record.OnServed(Slow, now))
        {
        }
    }

    /// <returns>How many batched reads there have been.</returns>
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
        return pool.GetMultiplexingStatistics().BatchedReads;
    }
}
