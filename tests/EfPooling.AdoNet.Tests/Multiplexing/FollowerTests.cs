using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

/// <summary>Followers wait for somebody else's server connection, and are no worse off than if they waited for their own.</summary>
public sealed class FollowerTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly TimeSpan Limit = new PoolOptions().QueryWaitTimeout;
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Follower_TimesOutAfterItsOwnWait_WithThePoolsException_AlsoIfALaterLeaderGoesOnWaiting()
    {
        var pool = CreateManualPool();
        await using var holder = await pool.OpenConnectionAsync();
        await using var held = await holder.ReadAsync("SELECT 1");
        var early = StartReads(pool, 32); // One leader and those who fill its read batch.
        _time.Advance(Limit / 2);
        var late = StartReads(pool, 1); // The read batch was full, so it leads.
        _time.Advance(Limit / 2);
        foreach (var read in early)
        {
            Assert.Equal(1, (await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => read)).Snapshot.InUse);
        }

        Assert.All(late, read => Assert.False(read.IsCompleted));
        _time.Advance(Limit / 2);
        foreach (var read in late)
        {
            await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => read);
        }
    }

    [Fact]
    public async Task LeaderThatIsCancelled_LeavesItsFollowersANewLeader()
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
        Assert.Equal(37L, pool.GetMultiplexingStatistics().BatchedReads);
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task FollowerWhoseLeaderIsCancelled_KeepsItsPlaceBeforeThoseWhoCameLater()
    {
        var pool = CreateManualPool();
        await PrepareDatabaseAsync("CREATE TABLE IF NOT EXISTS follower_order (n int)");
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
                    return await connection.AskAsync<long>("SELECT count(*) FROM follower_order");
                default:
                    return await connection.RunAsync("INSERT INTO follower_order VALUES (1)");
            }
        }, async () =>
        {
            await cancellation.CancelAsync(); // Leaves three writers in the queue, until the follower takes its leader's place.
            while (pool.GetSnapshot().Waiting < 4)
            {
                await Task.Yield();
            }
        });
        Assert.Equal([0, 0, 1, 1, 1], written);
        await PrepareDatabaseAsync("DELETE FROM follower_order");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Writer_AmongManyReaders_GetsItsTurnWithinAFewBatches(bool inTransaction)
    {
        const int Readers = 100;
        const int Writes = 20;
        await PrepareDatabaseAsync("CREATE TABLE IF NOT EXISTS follower_tests (n int); DELETE FROM follower_tests; INSERT INTO follower_tests VALUES (0)");
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
            var before = pool.GetMultiplexingStatistics().Batches;
            await using (var transaction = inTransaction ? await writer.BeginTransactionAsync() : null)
            {
                await writer.RunAsync("UPDATE follower_tests SET n = n + 1");
                waits.Add(pool.GetMultiplexingStatistics().Batches - before);
                await (transaction?.CommitAsync() ?? Task.CompletedTask);
            }
        }

        Volatile.Write(ref isOver, true);
        await readers;
        Assert.Equal(Writes, await AskPlainAsync<int>("SELECT n FROM follower_tests"));
        Assert.True(waits.Order().ElementAt(Writes / 2) <= 5, $"Batches before each write: {string.Join(", ", waits)}");
        Assert.True(waits.Max() <= Readers, $"Batches before each write: {string.Join(", ", waits)}"); // Never more than there are readers before it.
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
