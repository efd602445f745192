using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Texts that make trouble in read batches cost the others little, and are suspended.</summary>
public sealed class TroubleTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string ForEver = "SELECT max(n)::int FROM generate_series(1, 1000000000000) AS n";
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    public async Task StatementThatTakesForEver_KeepsNobodyElse_WhereverItSits(int slow)
    {
        var pool = CreateSharingPool(maxPoolSize: 2, keywords: "Options=-c client_connection_check_interval=100ms");
        using var enough = new CancellationTokenSource();
        var others = 0;
        var reads = await pool.GatherAsync(10, async (connection, i) =>
        {
            if (i == slow)
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connection.AskAsync<int>(ForEver, enough.Token));
                return i;
            }

            var read = await connection.AskAsync<int>($"SELECT {i}");
            if (Interlocked.Increment(ref others) == 9)
            {
                await enough.CancelAsync(); // Not before all others are through.
            }

            return read;
        });
        Assert.Equal(Enumerable.Range(1, 10), reads);
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task BatchedReadThatLeaves_IsToldAtOnce_WhateverItsReadBatchDoes()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, keywords: "Options=-c client_connection_check_interval=100ms", build: builder => builder.UseTimeProvider(_time));
        using var leave = new CancellationTokenSource();
        using var enough = new CancellationTokenSource();
        var (left, told) = (0, new TaskCompletionSource());
        var calls = pool.GatherAsync(3, async (connection, i) =>
        {
            var sql = i == 1 ? ForEver : $"SELECT {i}";
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connection.AskAsync<int>(sql, i == 1 ? enough.Token : leave.Token));
            if (i > 1 && Interlocked.Increment(ref left) == 2)
            {
                told.SetResult();
            }

            return i;
        });
        await WaitForQueryAsync(pool, "generate_series");
        await leave.CancelAsync(); // The server answers nobody, and no clock moves.
        await told.Task;

        await enough.CancelAsync();
        await calls;
        while (pool.GetSnapshot().InUse > 0)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10)); // Now the read batch is looked at, which nobody needs any more.
            await Task.Yield();
        }
    }

    [Fact]
    public async Task TextThatFailsAgainAndAgain_LosesTheRightToBoard_AndClosesNoMoreServerConnections()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(_time));
        for (var i = 0; pool.GetMultiplexingStatistics().Suspended == 0; i++)
        {
            Assert.InRange(i, 0, 10);
            await FailAsync(pool);
        }

        var opened = pool.GetSnapshot().Opened;
        await FailAsync(pool);
        Assert.Equal(opened, pool.GetSnapshot().Opened);
    }

    private static async Task FailAsync(TransactionPoolingDataSource pool)
    {
        await pool.GatherAsync(4, async (connection, i) =>
        {
            if (i == 3)
            {
                await Assert.ThrowsAsync<PostgresException>(() => connection.AskAsync<int>("SELECT 1 / (SELECT 0)"));
            }
            else
            {
                Assert.Equal(i, await connection.AskAsync<int>($"SELECT {i}"));
            }

            return 0;
        });
        await pool.WaitUntilUnusedAsync();
    }
}
