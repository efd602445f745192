using System.Diagnostics;
using System.Runtime.InteropServices;

namespace EfPooling.Benchmarks.Load.Relay;

/// <summary>
/// Waits for times within a millisecond, for which the waits of the platform are too coarse: sleeps in the kernel for most of it and spins for
/// the rest. A machine whose processors are all busy wakes the thread later.
/// </summary>
internal static class PreciseWait
{
    private const int TimerSlack = 29; // PR_SET_TIMERSLACK of prctl(2)
    private const double SpinSeconds = 20e-6; // a little more than it takes the kernel to wake an idle thread

    private static readonly long Spin = (long)(SpinSeconds * Stopwatch.Frequency);

    /// <summary>Asks the kernel to wake this thread in time; by default it may be 50 microseconds late to save power.</summary>
    public static void Prepare()
    {
        if (OperatingSystem.IsLinux())
        {
            _ = prctl(TimerSlack, 1, 0, 0, 0);
        }
    }

    /// <summary>Returns when <see cref="Stopwatch.GetTimestamp"/> has reached the time.</summary>
    public static void Until(long due)
    {
        for (var rest = due - Stopwatch.GetTimestamp(); rest > 0; rest = due - Stopwatch.GetTimestamp())
        {
            if (rest <= Spin)
            {
                Thread.SpinWait(10);
            }
            else if (OperatingSystem.IsLinux())
            {
                var nanoseconds = (long)((rest - Spin) * (1e9 / Stopwatch.Frequency));
                var time = new Timespec((nint)(nanoseconds / 1_000_000_000), (nint)(nanoseconds % 1_000_000_000));
                _ = nanosleep(in time, 0);
            }
            else
            {
                Thread.Sleep(0);
            }
        }
    }

#pragma warning disable SYSLIB1054, IDE1006 // Plain declarations of two functions of the C library need no generated code; the names are theirs.
    [DllImport("libc")]
    private static extern int nanosleep(in Timespec time, nint remaining);

    [DllImport("libc")]
    private static extern int prctl(int option, nuint first, nuint second, nuint third, nuint fourth);
#pragma warning restore SYSLIB1054, IDE1006

    /// <summary>struct timespec of the C library.</summary>
    private readonly record struct Timespec(nint Seconds, nint Nanoseconds);
}
