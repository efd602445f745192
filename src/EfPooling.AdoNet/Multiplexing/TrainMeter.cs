using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace EfPooling.AdoNet;

/// <summary>Trains as instruments of the meter <c>EfPooling</c>, for OpenTelemetry and <c>dotnet-counters</c>. Thread-safe.</summary>
/// <param name="pool">The pool's name, a tag of each measurement.</param>
/// <param name="logger">Hears of listeners that fail.</param>
internal sealed class TrainMeter(string pool, ILogger logger)
{
    private static readonly Meter Meter = new("EfPooling");

    private static readonly Histogram<int> Length = Meter.CreateHistogram<int>(
        "efpooling.train.length",
        "{passenger}",
        "Reads that shared a round trip.",
        tags: null,
        new InstrumentAdvice<int> { HistogramBucketBoundaries = [2, 4, 8, 16, 24, 32] });

    private static readonly Counter<long> SetDowns
        = Meter.CreateCounter<long>("efpooling.train.set_downs", "{passenger}", "Reads that had to run again elsewhere.");

    private static readonly Counter<long> Barred
        = Meter.CreateCounter<long>("efpooling.train.barred", "{text}", "Times that an SQL text lost the right to board, because its turns took too long.");

    private readonly KeyValuePair<string, object?> _pool = new("db.client.connection.pool.name", pool);

    public void OnDeparture(int length) => Guard(length, static (self, length) => Length.Record(length, self._pool));

    public void OnSetDown(int passengers, SetDownReason reason)
        => Guard((passengers, reason), static (self, what) =>
        {
            if (SetDowns.Enabled)
            {
                SetDowns.Add(what.passengers, self._pool, new("efpooling.train.set_down_reason", what.reason.ToString()));
            }
        });

    public void OnBarred() => Guard(1, static (self, texts) => Barred.Add(texts, self._pool));

    // The listeners are the application's, and run here. Trains must arrive, whatever they do.
    private void Guard<T>(T measurement, Action<TrainMeter, T> record)
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
