using System.Numerics;

namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>
/// Latencies in buckets that grow with the latency: each power of two is cut into 64, so a value is known to 1.6 %. Not thread-safe: each
/// caller has its own, and they are merged when all have stopped.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int SubBuckets = 1 << SubBits;
    private const int LongestBits = 42; // nanoseconds: 73 minutes; what takes longer is counted there

    private readonly int[] _counts = new int[(LongestBits - SubBits + 1) * SubBuckets];

    /// <summary>Number of latencies recorded.</summary>
    public long Count { get; private set; }

    /// <summary>The longest one, exactly.</summary>
    public TimeSpan Max { get; private set; }

    public void Record(TimeSpan latency)
    {
        _counts[IndexOf((long)latency.TotalNanoseconds)]++;
        Count++;
        Max = latency > Max ? latency : Max;
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
        Max = other.Max > Max ? other.Max : Max;
    }

    /// <summary>The latency that a share of all did not exceed (0.99 for p99), to 1.6 % and never more than <see cref="Max"/>; zero if there are none.</summary>
    public TimeSpan Quantile(double share)
    {
        var wanted = Math.Max(1, (long)Math.Ceiling(Count * share));
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= wanted)
            {
                var upper = TimeSpan.FromTicks(UpperBound(i) / TimeSpan.NanosecondsPerTick);
                return upper < Max ? upper : Max;
            }
        }

        return Max;
    }

    private static int IndexOf(long nanoseconds)
    {
        var value = Math.Clamp(nanoseconds, 0, (1L << LongestBits) - 1);
        var shift = Math.Max(0, BitOperations.Log2((ulong)value | 1) - SubBits);

        // Below 2^(SubBits+1) each value has a bucket of its own; above, the leading bits choose one of the upper half.
        return (int)((value >> shift) + ((long)shift << SubBits));
    }

    private static long UpperBound(int index)
    {
        var shift = Math.Max(0, (index >> SubBits) - 1);
        var leading = index - ((long)shift << SubBits);
        return ((leading + 1) << shift) - 1;
    }
}
