using System.Diagnostics;

namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>What this process has used up to a moment, or between two.</summary>
internal sealed record ResourceUsage(TimeSpan Elapsed, TimeSpan Cpu, long AllocatedBytes)
{
    public static ResourceUsage Read()
    {
        using var process = Process.GetCurrentProcess();
        return new ResourceUsage(Stopwatch.GetElapsedTime(0), process.TotalProcessorTime, GC.GetTotalAllocatedBytes());
    }

    public static ResourceUsage operator -(ResourceUsage later, ResourceUsage earlier)
        => new(later.Elapsed - earlier.Elapsed, later.Cpu - earlier.Cpu, later.AllocatedBytes - earlier.AllocatedBytes);
}
