namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>One caller of a slice: its random numbers, what it measured and what went wrong. Belongs to one flow; read by others after that has ended.</summary>
internal sealed class Caller(int seed, SlicePhase phase)
{
    public Random Random { get; } = new(seed);

    public LatencyHistogram Latencies { get; } = new();

    public ErrorCounts Errors { get; } = new();

    /// <summary>Stands for what an application does between two statements; over at once when the slice is.</summary>
    public Task WorkAsync(TimeSpan duration) => phase.IsOver ? Task.CompletedTask : Task.Delay(duration);
}
