using System.Diagnostics;
using EfPooling.Benchmarks.Load.Peers;
using EfPooling.Benchmarks.Load.Report;
using EfPooling.Benchmarks.Load.Scenarios;

namespace EfPooling.Benchmarks.Load;

/// <summary>One run: starts the servers, runs the scenarios one after the other, shows and writes what came out.</summary>
internal static class LoadRun
{
    public static async Task<int> RunAsync(LoadOptions options)
    {
        var start = Stopwatch.GetTimestamp();
        var report = new ConsoleReport();
        await using var servers = await report.ShowAsync("Starting the servers", LoadServers.StartAsync);
        var chosen = AllPeers.List.Where(peer => options.Peers.Contains(peer.Name)).ToList();
        var peers = chosen.Where(peer => peer.WhyNot(servers.Endpoints) is null).ToList();
        IReadOnlyList<string> skipped = [.. chosen.Except(peers).Select(peer => $"{peer.Name} is left out: {peer.WhyNot(servers.Endpoints)}.")];
        report.WriteHead(servers.Machine, [.. peers.Select(peer => $"{peer.Name}: {peer.Describe(servers.Endpoints)}")], skipped);

        var context = new LoadContext(servers.Endpoints, peers, servers.Sampler, options);
        var results = new List<ScenarioResult>();
        foreach (var scenario in ScenarioCatalogue.Choose(options.Scenarios, LoadServers.BackendLimit))
        {
            var result = await report.RunAsync(scenario, context);
            report.Write(result);
            results.Add(result);
        }

        if (options.Out is { } directory)
        {
            RunFiles.Write(directory, new RunRecord(servers.Machine, options, [.. peers.Select(peer => $"{peer.Name}: {peer.Describe(servers.Endpoints)}")], skipped, results));
            report.WriteLine($"Tables, charts and JSON are in {directory}.");
        }

        report.WriteLine($"The run took {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s.");
        foreach (var ratio in results.SelectMany(result => result.Ratios))
        {
            report.WriteLine(ratio.ToString());
        }

        return 0;
    }
}
