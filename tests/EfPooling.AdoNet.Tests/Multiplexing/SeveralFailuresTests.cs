using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Read batches of which several batched reads fail.</summary>
public sealed class SeveralFailuresTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task BatchedReads_BehindSeveralWhoFail_AreNotHeldResponsible()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(new ManualTimeProvider()));
        await pool.GatherAsync(10, async (connection, i) =>
        {
            if (i is 2 or 4)
            {
                await Assert.ThrowsAsync<PostgresException>(() => connection.AskAsync<int>("SELECT nonsense"));
                return i;
            }

            Assert.Equal(i, await connection.AskAsync<int>($"SELECT {i}"));
            return i;
        });
        Assert.Equal((1L, 8L), (pool.GetMultiplexingStatistics().Requeued[RequeueReason.Failed], pool.GetMultiplexingStatistics().Requeued[RequeueReason.BatchEnded]));
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task FailureInAReadBatch_ClosesItsServerConnection_WhateverTheResetPolicy()
    {
        // Npgsql takes the statements behind the failed one for prepared, which the server has skipped.
        var pool = CreateSharingPool(
            maxPoolSize: 1, keywords: "Max Auto Prepare=20;Auto Prepare Min Usages=1", configure: options => options.ResetPolicy = ResetPolicy.Never,
            build: builder => builder.UseTimeProvider(new ManualTimeProvider()));
        foreach (var failing in new[] { true, false })
        {
            var reads = await pool.GatherAsync(6, async (connection, i) =>
            {
                if (i == 2 && failing)
                {
                    await Assert.ThrowsAsync<PostgresException>(() => connection.AskAsync<int>("SELECT 1 / (SELECT 0)"));
                    return 2;
                }

                return await connection.AskAsync<int>($"SELECT {i}");
            });
            Assert.Equal(Enumerable.Range(1, 6), reads);
            await pool.WaitUntilUnusedAsync();
        }

        Assert.Equal(2L, pool.GetSnapshot().Opened);
    }
}
