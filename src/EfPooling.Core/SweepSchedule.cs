namespace EfPooling.Core;

/// <summary>How often a pool sweeps: eight times in the shortest limit that a sweep enforces, between 250 ms and 30 s.</summary>
internal static class SweepSchedule
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    public static TimeSpan Period(PoolOptions options)
    {
        var limits = new[] { options.ServerLifetime, options.ServerIdleTimeout }.Where(limit => limit > TimeSpan.Zero);
        var period = limits.Append(Longest * 8).Min() / 8;
        return period < Shortest ? Shortest : period;
    }
}
