using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Trains of which several passengers fail.</summary>
public sealed class SeveralFailuresTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Passengers_BehindSeveralWhoFail_AreNotHeldResponsible()
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
        Assert.Equal((1L, 8L), (pool.GetTrains().SetDowns[SetDownReason.Failed], pool.GetTrains().SetDowns[SetDownReason.TrainEnded]));
        await pool.WaitUntilUnusedAsync();
    }
}
