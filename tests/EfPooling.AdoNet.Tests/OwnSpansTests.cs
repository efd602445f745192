using System.Collections.Concurrent;
using System.Diagnostics;

namespace EfPooling.AdoNet.Tests;

/// <summary>What the pool asks the server for itself stands in nobody's trace.</summary>
public sealed class OwnSpansTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TracesHaveTheCallersStatementsOnly(bool asynchronous)
    {
        using var source = new ActivitySource("callers of OwnSpansTests");
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Npgsql" or "callers of OwnSpansTests",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var pool = CreateUnshuffledPool(maxPoolSize: 1, configure: options =>
        {
            options.ServerCheckDelay = TimeSpan.Zero;
            options.ResetPolicy = ResetPolicy.Always;
        });
        using var request = source.StartActivity("request")!;
        await using (var connection = await pool.OpenConnectionAsync())
        {
            string[] texts = ["SELECT 'mine'", "SET work_mem = '8MB'", "SELECT 'mine'"];
            foreach (var text in texts)
            {
                await (asynchronous ? connection.RunAsync(text) : Task.Run(() => connection.Run(text)));
            }
        }

        var ours = spans.Where(span => span.TraceId == request.TraceId).Select(span => span.GetTagItem("db.query.text") ?? span.GetTagItem("db.statement") ?? span.OperationName);
        Assert.Equal(["SELECT 'mine'", "SET work_mem = '8MB'", "SELECT 'mine'"], ours);
    }
}
