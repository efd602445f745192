using HdrHistogram;

namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>Latencies, to 1 %. Not thread-safe: each caller has its own, and they are merged when all have stopped.</summary>
internal sealed class LatencyHistogram
{
    private const int Digits = 2; // 1 %
    private const long Longest = TimeSpan.TicksPerHour; // What takes longer is counted there.

    private readonly IntHistogram _ticks = new(Longest, Digits);

    /// <summary>Number of latencies recorded.</summary>
    public long Count => _ticks.TotalCount;

    /// <summary>The longest one, exactly.</summary>
    public TimeSpan Max { get; private set; }

    public void Record(TimeSpan latency)
    {
        _ticks.RecordValue(Math.Clamp(latency.Ticks, 0, Longest));
        Max = latency > Max ? latency : Max;
    }

    public void Add(LatencyHistogram other)
    {
        _ticks.Add(other._ticks);
        Max = other.Max > Max ? other.Max : Max;
    }

    /// <summary>The latency that a share of all did not exceed (0.99 for p99), to 1 % and never more than <see cref="Max"/>; zero if there are none.</summary>
    public TimeSpan Quantile(double share)
    {
        var upper = Count == 0 ? TimeSpan.Zero : TimeSpan.FromTicks(_ticks.GetValueAtPercentile(share * 100));
        return upper < Max ? upper : Max;
    }
}
