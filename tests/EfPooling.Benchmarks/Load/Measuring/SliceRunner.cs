using System.Diagnostics;

namespace EfPooling.Benchmarks.Load.Measuring;

/// <summary>
/// Runs callers who do the same thing over and over, each the next one as soon as the last has ended. Measures after everybody has been
/// served once and a warm-up has passed.
/// </summary>
internal sealed class SliceRunner(BackendSampler sampler)
{
    private static readonly TimeSpan PauseAfterError = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public async Task<Slice> RunAsync(string applicationName, int callerCount, SliceTimes times, Func<Caller, Task> operation)
    {
        GC.Collect(); // What others left behind is not this peer's to collect.
        var phase = new SlicePhase();
        var callers = Enumerable.Range(0, callerCount).Select(seed => new Caller(seed, phase)).ToList();
        var served = new CountdownEvent(callerCount);
        var errors = new ErrorCounts();
        var running = Task.WhenAll(callers.Select(caller => Task.Run(() => CallAsync(caller, phase, served, operation))));
        if (!await Task.Run(() => served.Wait(Patience)))
        {
            errors.Add($"callers who were not served once in {Patience.TotalSeconds:0} s", served.CurrentCount);
        }

        await Task.Delay(times.WarmUp);
        await using var sampling = sampler.Begin(applicationName);
        var usage = ResourceUsage.Read();
        phase.BeginMeasuring();
        await Task.Delay(times.Measured);
        phase.End();
        var used = ResourceUsage.Read() - usage;
        var backends = await sampling.EndAsync();
        if (await Task.WhenAny(running, Task.Delay(Patience)) != running)
        {
            // They still write: nothing of them can be read.
            errors.Add($"slices whose callers did not all come back within {Patience.TotalSeconds:0} s", 1);
            return new Slice(0, used.Elapsed, new LatencyHistogram(), used.Cpu, used.AllocatedBytes, backends, errors);
        }

        await running;
        return Sum(callers, used, backends, errors);
    }

    private static async Task CallAsync(Caller caller, SlicePhase phase, CountdownEvent served, Func<Caller, Task> operation)
    {
        var isFirst = true;
        while (!phase.IsOver)
        {
            var start = Stopwatch.GetTimestamp();
            try
            {
                await operation(caller);
                if (phase.IsMeasured)
                {
                    caller.Latencies.Record(Stopwatch.GetElapsedTime(start));
                }
            }
            catch (Exception e)
            {
                caller.Errors.Add(e);
                await Task.Delay(PauseAfterError);
            }

            if (isFirst)
            {
                isFirst = false;
                served.Signal();
            }
        }
    }

    private static Slice Sum(List<Caller> callers, ResourceUsage used, int backends, ErrorCounts errors)
    {
        var latencies = new LatencyHistogram();
        foreach (var caller in callers)
        {
            latencies.Add(caller.Latencies);
            errors.Add(caller.Errors);
        }

        return new Slice(latencies.Count, used.Elapsed, latencies, used.Cpu, used.AllocatedBytes, backends, errors);
    }
}
