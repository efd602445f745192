using System.Diagnostics.Metrics;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>The instruments of the meter EfPooling.</summary>
public sealed class MultiplexingMeterTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task ReadBatchesAndThoseWhoAreRequeued_AreMeasured()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(new ManualTimeProvider()));
        var measured = new List<(string Instrument, long Value, string Tags)>(); // guarded by itself
        using var listener = Listen((instrument, value, tags) =>
        {
            if (tags.ToArray().Contains(new("db.client.connection.pool.name", pool.Name)))
            {
                lock (measured)
                {
                    measured.Add((instrument, value, string.Join(",", tags.ToArray().Select(tag => tag.Value))));
                }
            }
        });

        await ShareAsync(pool);

        Assert.Equal(
            [
                ("efpooling.multiplexing.batch.size", 10, pool.Name),
                ("efpooling.multiplexing.requeued", 1, $"{pool.Name},Failed"),
                ("efpooling.multiplexing.requeued", 7, $"{pool.Name},BatchEnded"),
            ],
            measured.Take(3));
    }

    [Fact]
    public async Task ListenerThatThrows_HarmsNobody()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(new ManualTimeProvider()));
        using var listener = Listen((_, _, tags) =>
        {
            if (tags.ToArray().Contains(new("db.client.connection.pool.name", pool.Name)))
            {
                throw new InvalidOperationException("A listener of the application.");
            }
        });
        await ShareAsync(pool);
        Assert.Equal(10, pool.GetMultiplexingStatistics().LargestBatch);
    }

    // Ten batched reads, of whom the third fails.
    private static async Task ShareAsync(TransactionPoolingDataSource pool)
    {
        await pool.GatherAsync(10, async (connection, i) =>
        {
            if (i == 3)
            {
                await Assert.ThrowsAsync<PostgresException>(() => connection.AskAsync<int>("SELECT nonsense"));
                return i;
            }

            Assert.Equal(i, await connection.AskAsync<int>($"SELECT {i}"));
            return i;
        });
        await pool.WaitUntilUnusedAsync();
    }

    private delegate void Measured(string instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags);

    private static MeterListener Listen(Measured measured)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "EfPooling")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => measured(instrument.Name, value, tags));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => measured(instrument.Name, value, tags));
        listener.Start();
        return listener;
    }
}
