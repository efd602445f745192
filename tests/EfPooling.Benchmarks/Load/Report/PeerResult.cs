using EfPooling.Benchmarks.Load.Measuring;

namespace EfPooling.Benchmarks.Load.Report;

/// <summary>What a peer did in one case of a scenario: medians over the rounds, but the longest latency and the most connections of all of them.</summary>
/// <param name="Case">The API, or what else tells the cases of the scenario apart.</param>
/// <param name="Peer">Name of the peer.</param>
/// <param name="OperationsPerSecond">Operations that ended without an error.</param>
/// <param name="P50">Latency in microseconds that half of the operations did not exceed.</param>
/// <param name="P95">The same for 95 of 100.</param>
/// <param name="P99">The same for 99 of 100.</param>
/// <param name="Max">The longest latency in microseconds.</param>
/// <param name="ServerConnections">Most backends at a time.</param>
/// <param name="CpuPerOperation">Microseconds of processor time of the client.</param>
/// <param name="BytesPerOperation">Bytes that the client allocated.</param>
/// <param name="Errors">How many operations failed in all rounds, warm-ups included.</param>
/// <param name="ErrorKinds">What they were.</param>
/// <param name="Rounds">Operations per second of each round.</param>
internal sealed record PeerResult(
    string Case,
    string Peer,
    double OperationsPerSecond,
    double P50,
    double P95,
    double P99,
    double Max,
    int ServerConnections,
    double CpuPerOperation,
    double BytesPerOperation,
    int Errors,
    IReadOnlyList<string> ErrorKinds,
    IReadOnlyList<double> Rounds)
{
    public static PeerResult From(string @case, string peer, IReadOnlyList<Slice> slices)
    {
        var errors = new ErrorCounts();
        foreach (var slice in slices)
        {
            errors.Add(slice.Errors);
        }

        return new PeerResult(
            @case,
            peer,
            Statistics.Median(slices.Select(PerSecond)),
            Statistics.Median(slices.Select(slice => slice.Latencies.Quantile(0.5).TotalMicroseconds)),
            Statistics.Median(slices.Select(slice => slice.Latencies.Quantile(0.95).TotalMicroseconds)),
            Statistics.Median(slices.Select(slice => slice.Latencies.Quantile(0.99).TotalMicroseconds)),
            slices.Max(slice => slice.Latencies.Max.TotalMicroseconds),
            slices.Max(slice => slice.ServerConnections),
            Statistics.Median(slices.Select(slice => slice.Cpu.TotalMicroseconds / Math.Max(1, slice.Operations))),
            Statistics.Median(slices.Select(slice => (double)slice.AllocatedBytes / Math.Max(1, slice.Operations))),
            errors.Total,
            [.. errors.Describe()],
            [.. slices.Select(PerSecond)]);
    }

    private static double PerSecond(Slice slice) => slice.Operations / slice.Elapsed.TotalSeconds;
}
