namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>What one peer did in one measured slice.</summary>
/// <param name="Operations">Operations that ended in the slice, without errors.</param>
/// <param name="Elapsed">How long it was measured.</param>
/// <param name="Latencies">Of these operations.</param>
/// <param name="Cpu">Processor time of this process, that is of the client, all threads.</param>
/// <param name="AllocatedBytes">Allocated by this process.</param>
/// <param name="ServerConnections">Most backends that the peer had when they were counted.</param>
/// <param name="Errors">What went wrong, in the warm-up too.</param>
internal sealed record Slice(
    long Operations, TimeSpan Elapsed, LatencyHistogram Latencies, TimeSpan Cpu, long AllocatedBytes, int ServerConnections, ErrorCounts Errors);
