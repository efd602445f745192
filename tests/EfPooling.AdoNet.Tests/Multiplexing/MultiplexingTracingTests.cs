using System.Collections.Concurrent;
using System.Diagnostics;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>The spans of the activity source EfPooling, and what becomes of Npgsql's.</summary>
public sealed class MultiplexingTracingTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly ActivitySource Callers = new("callers");

    [Fact]
    public async Task EachBatchedRead_HasASpanInItsCallersTrace_AndTheReadBatchATraceOfItsOwn()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(new ManualTimeProvider()));
        var spans = new ConcurrentQueue<Activity>();
        using var listener = Listen(spans.Enqueue);
        var callers = await pool.GatherAsync(5, async (connection, i) =>
        {
            using var caller = Callers.StartActivity($"caller {i}")!;
            await connection.AskAsync<int>($"SELECT {i}");
            Assert.Same(caller, Activity.Current);
            return caller;
        });

        var batch = Assert.Single(spans, span => span.OperationName == "read batch" && pool.Name.Equals(span.GetTagItem("db.client.connection.pool.name")));
        Assert.Equal(5, batch.GetTagItem("efpooling.multiplexing.batch.size"));
        Assert.Equal(default, batch.ParentSpanId);
        Assert.Single(spans, span => span.Source.Name == "Npgsql" && span.ParentSpanId == batch.SpanId);
        for (var i = 1; i <= callers.Length; i++)
        {
            var span = Assert.Single(spans, span => span.ParentSpanId == callers[i - 1].SpanId);
            Assert.Equal(("EfPooling", $"SELECT {i}", ActivityKind.Client), (span.Source.Name, span.GetTagItem("db.query.text"), span.Kind));
            Assert.Equal(batch.Context, Assert.Single(span.Links).Context);
            Assert.Equal(ActivityStatusCode.Unset, span.Status);
            Assert.True(span.StartTimeUtc <= batch.StartTimeUtc, "A batched read's span begins with its wait.");
        }
    }

    [Fact]
    public async Task ReadThatFailsInItsResultSlot_EndsItsSpanWithTheError()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(new ManualTimeProvider()));
        var spans = new ConcurrentQueue<Activity>();
        using var listener = Listen(spans.Enqueue);
        var callers = await pool.GatherAsync(3, async (connection, i) =>
        {
            using var caller = Callers.StartActivity($"caller {i}")!;
            if (i == 2)
            {
                await using var reader = await connection.ReadAsync("SELECT 1 / (3 - n) FROM generate_series(1, 4) n");
                await Assert.ThrowsAsync<PostgresException>(async () =>
                {
                    while (await reader.ReadAsync())
                    {
                    }
                });
            }
            else
            {
                await connection.AskAsync<int>("SELECT 1");
            }

            return caller;
        });

        var failed = Assert.Single(spans, span => span.Source.Name == "EfPooling" && span.ParentSpanId == callers[1].SpanId);
        Assert.Equal((ActivityStatusCode.Error, PostgresErrorCodes.DivisionByZero), (failed.Status, failed.GetTagItem("error.type")));
    }

    [Fact]
    public async Task ListenerThatThrows_HarmsNobody()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(new ManualTimeProvider()));
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "EfPooling",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStarted = _ => throw new InvalidOperationException("A listener of the application."),
            ActivityStopped = _ => throw new InvalidOperationException("A listener of the application."),
        };
        ActivitySource.AddActivityListener(listener);
        Assert.Equal(Enumerable.Range(1, 10), await pool.GatherAsync(10, (connection, i) => connection.AskAsync<int>($"SELECT {i}")));
        Assert.Equal(10, pool.GetMultiplexingStatistics().LargestBatch);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task RecordedTrace_ThatLosesASpan_IsWarnedOf_Once(bool isRecorded, int warnings)
    {
        var log = new CapturedLog();
        var pool = CreateSharingPool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(new ManualTimeProvider()).UseLoggerFactory(log));
        using var listener = isRecorded ? Listen(_ => { }, "Npgsql", "callers") : null;
        await pool.GatherAsync(5, async (connection, i) =>
        {
            using var caller = Callers.StartActivity($"caller {i}");
            return await connection.AskAsync<int>($"SELECT {i}");
        });
        Assert.Equal(warnings, log.Count(1136));
    }

    private static ActivityListener Listen(Action<Activity> onStopped) => Listen(onStopped, "EfPooling", "Npgsql", "callers");

    private static ActivityListener Listen(Action<Activity> onStopped, params string[] sources)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => sources.Contains(source.Name),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = onStopped,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
