using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

/// <summary>Riders wait for somebody else's server connection, and are no worse off than if they waited for their own.</summary>
public sealed class RiderTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly TimeSpan Limit = new PoolOptions().QueryWaitTimeout;
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Rider_TimesOutAfterItsOwnWait_WithThePoolsException_AlsoIfALaterDriverGoesOnWaiting()
    {
        var pool = CreateManualPool();
        await using var holder = await pool.OpenConnectionAsync();
        await using var held = await holder.ReadAsync("SELECT 1");
        var early = StartReads(pool, 32); // One driver and those who fill its train.
        _time.Advance(Limit / 2);
        var late = StartReads(pool, 1); // The train was full, so it drives.
        _time.Advance(Limit / 2);
        foreach (var read in early)
        {
            Assert.Equal(1, (await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => read)).Snapshot.Leased);
        }

        Assert.All(late, read => Assert.False(read.IsCompleted));
        _time.Advance(Limit / 2);
        foreach (var read in late)
        {
            await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => read);
        }
    }

    [Fact]
    public async Task DriverThatIsCancelled_LeavesItsRidersANewDriver()
    {
        var pool = CreateManualPool();
        using var cancellation = new CancellationTokenSource();
        var reads = await pool.GatherAsync(
            40,
            async (connection, i) =>
            {
                var reading = connection.AskAsync<int>($"SELECT {i}", i <= 3 ? cancellation.Token : default);
                if (i <= 3)
                {
                    await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
                    return i;
                }

                return await reading;
            },
            () => cancellation.CancelAsync());
        Assert.Equal(Enumerable.Range(1, 40), reads);
        Assert.Equal(37L, pool.GetTrains().Passengers);
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task RiderWhoseDriverIsCancelled_KeepsItsPlaceBeforeThoseWhoCameLater()
    {
        var pool = CreateManualPool();
        await PrepareDatabaseAsync("CREATE TABLE IF NOT EXISTS rider_order (n int)");
        using var cancellation = new CancellationTokenSource();
        var written = await pool.GatherAsync(5, async (connection, i) =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            switch (i)
            {
                case 1:
                    await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connection.AskAsync<int>("SELECT 1", cancellation.Token));
                    return 0L;
                case 2:
                    return await connection.AskAsync<long>("SELECT count(*) FROM rider_order");
                default:
                    return await connection.RunAsync("INSERT INTO rider_order VALUES (1)");
            }
        }, async () =>
        {
            await cancellation.CancelAsync(); // Leaves three writers in the queue, until the rider takes its driver's place.
            while (pool.GetSnapshot().Waiting < 4)
            {
                await Task.Yield();
            }
        });
        Assert.Equal([0, 0, 1, 1, 1], written);
        await PrepareDatabaseAsync("DELETE FROM rider_order");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Writer_AmongManyReaders_GetsItsTurnWithinAFewTrains(bool inTransaction)
    {
        const int Readers = 100;
        const int Writes = 20;
        await PrepareDatabaseAsync("CREATE TABLE IF NOT EXISTS rider_tests (n int); DELETE FROM rider_tests; INSERT INTO rider_tests VALUES (0)");
        var pool = CreateSharingPool(maxPoolSize: 1);
        var isOver = false;
        var readers = pool.GatherAsync(Readers, async (connection, i) =>
        {
            while (!Volatile.Read(ref isOver))
            {
                Assert.Equal(i, await connection.AskAsync<int>($"SELECT {i}"));
            }

            return 0;
        });
        await using var writer = await pool.OpenConnectionAsync();
        var waits = new List<long>();
        for (var i = 0; i < Writes; i++)
        {
            var before = pool.GetTrains().Trains;
            await using (var transaction = inTransaction ? await writer.BeginTransactionAsync() : null)
            {
                await writer.RunAsync("UPDATE rider_tests SET n = n + 1");
                waits.Add(pool.GetTrains().Trains - before);
                await (transaction?.CommitAsync() ?? Task.CompletedTask);
            }
        }

        Volatile.Write(ref isOver, true);
        await readers;
        Assert.Equal(Writes, await AskPlainAsync<int>("SELECT n FROM rider_tests"));
        Assert.True(waits.Order().ElementAt(Writes / 2) <= 5, $"Trains before each write: {string.Join(", ", waits)}");
        Assert.True(waits.Max() <= Readers, $"Trains before each write: {string.Join(", ", waits)}"); // Never more than there are readers before it.
        await pool.WaitUntilUnusedAsync();
    }

    private static Task<int>[] StartReads(TransactionPoolingDataSource pool, int count)
        => [.. Enumerable.Range(1, count).Select(async i =>
        {
            await using var connection = await pool.OpenConnectionAsync();
            return await connection.AskAsync<int>($"SELECT {i}");
        })];

    private TransactionPoolingDataSource CreateManualPool() => CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(_time));
}
