namespace EfPooling.Core;

/// <summary>The pool's monotonic clock: timestamps of a <see cref="TimeProvider"/> and their arithmetic.</summary>
internal sealed class PoolClock(TimeProvider time)
{
    public TimeProvider Time { get; } = time;

    public long Now => Time.GetTimestamp();

    /// <returns>The length in timestamp units; <see cref="long.MaxValue"/> for infinite.</returns>
    public long Length(TimeSpan span)
        => span == Timeout.InfiniteTimeSpan ? long.MaxValue : (long)(span.TotalSeconds * Time.TimestampFrequency);

    public TimeSpan Between(long from, long to) => Time.GetElapsedTime(from, to);
}
