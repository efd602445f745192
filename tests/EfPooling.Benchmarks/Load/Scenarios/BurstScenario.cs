using System.Diagnostics;
using EfPooling.Benchmarks.Load.Apis;
using EfPooling.Benchmarks.Load.Data;
using EfPooling.Benchmarks.Load.Measuring;
using EfPooling.Benchmarks.Load.Peers;
using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>Nobody, then everybody at once, on pools without a single connection; again and again with new pools until the slice is over.</summary>
internal sealed class BurstScenario : Scenario
{
    private const int Callers = 1_000;
    private const int BouncerClients = 100; // Npgsql's default; more would only make more logins

    public override string Name => "bursts";

    public override string Description => "1,000 callers at once on a cold pool of 10 server connections, each reads one row by key; operations per second until the last one is served";

    public override async Task<ScenarioResult> RunAsync(LoadContext context, ILoadProgress progress)
    {
        var apis = context.ApisOf(this);
        progress.Begin(apis.Count * context.Options.Rounds * context.Peers.Count);
        var results = new List<PeerResult>();
        foreach (var api in apis)
        {
            var slices = context.Peers.ToDictionary(peer => peer, _ => new List<Slice>());
            for (var round = 0; round < context.Options.Rounds; round++)
            {
                foreach (var peer in context.PeersOf(round))
                {
                    progress.Step($"{api}, round {round + 1}, {peer.Name}");
                    slices[peer].Add(await RunAsync(context, peer, api));
                }
            }

            results.AddRange(context.Peers.Select(peer => PeerResult.From(api, peer.Name, slices[peer])));
        }

        var served = results.Where(result => result.OperationsPerSecond > 0)
            .Select(result => $"{result.Case}, {result.Peer}: the last of 1,000 callers was served after {PeerTable.Number(Callers / result.OperationsPerSecond * 1_000, 0)} ms");
        return Results.Create(this, results, [.. served, .. PeerTable.DescribeErrors(results)]);
    }

    private static async Task<Slice> RunAsync(LoadContext context, Peer peer, string api)
    {
        var sum = new Slice(0, TimeSpan.Zero, new LatencyHistogram(), TimeSpan.Zero, 0, 0, new ErrorCounts());
        var start = Stopwatch.GetTimestamp();
        do
        {
            sum = Sum(sum, await BurstAsync(context, peer, api));
        }
        while (Stopwatch.GetElapsedTime(start) < context.Options.Times.Measured);

        return sum;
    }

    private static async Task<Slice> BurstAsync(LoadContext context, Peer peer, string api)
    {
        await using var session = peer.Open(context.Endpoints, new PoolShape(SteadyScenario.ServerConnections, BouncerClients));
        var data = ApiNames.Create(api, session);
        await data.PrepareAsync();
        var phase = new SlicePhase();
        var callers = Enumerable.Range(0, Callers).Select(seed => new Caller(seed, phase)).ToList();
        var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = callers.Select(caller => CallAsync(caller, begin.Task, data)).ToList();
        GC.Collect();

        var usage = ResourceUsage.Read();
        begin.SetResult();
        await Task.WhenAll(running);
        var used = ResourceUsage.Read() - usage;

        // Connections stay open after the burst, so it is enough to count then.
        var backends = (await context.Sampler.ReadBackendsAsync(peer.Name)).Count;
        var slice = new Slice(0, used.Elapsed, new LatencyHistogram(), used.Cpu, used.AllocatedBytes, backends, new ErrorCounts());
        foreach (var caller in callers)
        {
            slice.Latencies.Add(caller.Latencies);
            slice.Errors.Add(caller.Errors);
        }

        return slice with { Operations = slice.Latencies.Count };
    }

    private static async Task CallAsync(Caller caller, Task begin, IDataApi data)
    {
        var id = caller.Random.Next(BenchData.Items);
        await begin;
        var start = Stopwatch.GetTimestamp();
        try
        {
            await data.ReadItemAsync(id);
            caller.Latencies.Record(Stopwatch.GetElapsedTime(start));
        }
        catch (Exception e)
        {
            caller.Errors.Add(e);
        }
    }

    private static Slice Sum(Slice sum, Slice next)
    {
        sum.Latencies.Add(next.Latencies);
        sum.Errors.Add(next.Errors);
        return sum with
        {
            Operations = sum.Operations + next.Operations,
            Elapsed = sum.Elapsed + next.Elapsed,
            Cpu = sum.Cpu + next.Cpu,
            AllocatedBytes = sum.AllocatedBytes + next.AllocatedBytes,
            ServerConnections = Math.Max(sum.ServerConnections, next.ServerConnections),
        };
    }
}
