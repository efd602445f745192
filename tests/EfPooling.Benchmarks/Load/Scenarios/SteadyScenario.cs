using System.Globalization;
using EfPooling.Benchmarks.Load.Apis;
using EfPooling.Benchmarks.Load.Data;
using EfPooling.Benchmarks.Load.Measuring;
using EfPooling.Benchmarks.Load.Peers;
using EfPooling.Benchmarks.Load.Relay;
using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>Callers who do the same thing over and over.</summary>
/// <param name="name">Name of the scenario.</param>
/// <param name="description">What happens, in one sentence.</param>
/// <param name="callers">How many at a time.</param>
/// <param name="operation">What each of them does.</param>
internal sealed class SteadyScenario(string name, string description, int callers, Func<IDataApi, Caller, Task> operation) : Scenario
{
    public const int ServerConnections = 10;

    public override string Name => name;

    public override string Description => description;

    public override bool IsQuickWithAllApis => name == ScenarioCatalogue.PointReads;

    /// <summary>Whether the operation changes data, which is then tidied before each slice.</summary>
    public bool IsWriting { get; init; }

    /// <summary>How far away the servers are; null: on this machine.</summary>
    public TimeSpan? RoundTrip { get; init; }

    public override async Task<ScenarioResult> RunAsync(LoadContext context, ILoadProgress progress)
    {
        var apis = context.ApisOf(this);
        progress.Begin(apis.Count * context.Options.Rounds * context.Peers.Count);
        await using var far = RoundTrip is { } roundTrip ? await FarEndpoints.OpenAsync(context.Endpoints, roundTrip) : null;
        var endpoints = far?.Endpoints ?? context.Endpoints;
        var notes = far is null ? new List<string>() : [await DescribeRoundTripAsync(context.Endpoints, endpoints)];
        await using var sessions = new PeerSessions(context.Peers, endpoints, new PoolShape(ServerConnections, callers));
        var results = new List<PeerResult>();
        foreach (var api in apis)
        {
            results.AddRange(await RunAsync(api, context, sessions, progress));
        }

        return Results.Create(this, results, [.. notes, .. PeerTable.DescribeErrors(results)]);
    }

    private async Task<IEnumerable<PeerResult>> RunAsync(string api, LoadContext context, PeerSessions sessions, ILoadProgress progress)
    {
        var runner = new SliceRunner(context.Sampler);
        var slices = context.Peers.ToDictionary(peer => peer, _ => new List<Slice>());
        for (var round = 0; round < context.Options.Rounds; round++)
        {
            foreach (var peer in context.PeersOf(round))
            {
                progress.Step($"{api}, round {round + 1}, {peer.Name}");
                if (IsWriting)
                {
                    await BenchData.TidyAsync(context.Endpoints.ConnectionString);
                }

                var data = sessions.GetApi(peer, api);
                slices[peer].Add(await runner.RunAsync(peer.Name, callers, context.Options.Times, caller => operation(data, caller)));
            }
        }

        return context.Peers.Select(peer => PeerResult.From(api, peer.Name, slices[peer]));
    }

    private static async Task<string> DescribeRoundTripAsync(Endpoints near, Endpoints far)
    {
        var direct = await RoundTrips.MeasureAsync(near.ConnectionString);
        var relayed = await RoundTrips.MeasureAsync(far.ConnectionString);
        return $"SELECT 1 by one caller takes {Describe(relayed)} through the relay and {Describe(direct)} without it.";
    }

    private static string Describe(LatencyHistogram latencies) => string.Create(
        CultureInfo.InvariantCulture, $"{latencies.Quantile(0.5).TotalMilliseconds:0.000} ms (p99 {latencies.Quantile(0.99).TotalMilliseconds:0.000} ms)");
}
