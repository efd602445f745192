using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace EfPooling.AdoNet;

/// <summary>Read batches as instruments of the meter <c>EfPooling</c>, for OpenTelemetry and <c>dotnet-counters</c>. Thread-safe.</summary>
/// <param name="pool">The pool's name, a tag of each measurement.</param>
/// <param name="logger">Receives the failures of listeners.</param>
internal sealed class MultiplexingMeter(string pool, ILogger logger)
{
    private static readonly Meter Meter = new("EfPooling");

    private static readonly Histogram<int> Size = Meter.CreateHistogram<int>(
        "efpooling.multiplexing.batch.size",
        "{read}",
        "Reads that shared a round trip.",
        tags: null,
        new InstrumentAdvice<int> { HistogramBucketBoundaries = [2, 4, 8, 16, 24, 32] });

    private static readonly Counter<long> Requeued
        = Meter.CreateCounter<long>("efpooling.multiplexing.requeued", "{read}", "Reads that had to run again elsewhere.");

    private static readonly Counter<long> Suspended
        = Meter.CreateCounter<long>("efpooling.multiplexing.suspended", "{text}", "Times that an SQL text was suspended from sharing because it took too long.");

    private readonly KeyValuePair<string, object?> _pool = new("db.client.connection.pool.name", pool);

    public void OnSent(int length) => Guard(length, static (self, length) => Size.Record(length, self._pool));

    public void OnRequeued(int reads, RequeueReason reason)
        => Guard((reads, reason), static (self, what) =>
        {
            if (Requeued.Enabled)
            {
                Requeued.Add(what.reads, self._pool, new("efpooling.multiplexing.requeue_reason", what.reason.ToString()));
            }
        });

    public void OnSuspended() => Guard(1, static (self, texts) => Suspended.Add(texts, self._pool));

    // Listeners belong to the application and run here. Batches must complete whatever the listeners do.
    private void Guard<T>(T measurement, Action<MultiplexingMeter, T> record)
    {
        try
        {
            record(this, measurement);
        }
        catch (Exception e)
        {
            Log.ListenerFailed(logger, e, pool);
        }
    }
}
