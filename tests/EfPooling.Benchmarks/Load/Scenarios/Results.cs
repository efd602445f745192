using EfPooling.Benchmarks.Load.Peers;
using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>Makes the result of a scenario whose cases are APIs and whose number is operations per second.</summary>
internal static class Results
{
    public static ScenarioResult Create(Scenario scenario, IReadOnlyList<PeerResult> results, IReadOnlyList<string> notes) => new()
    {
        Name = scenario.Name,
        Description = scenario.Description,
        Table = PeerTable.Create("API", results),
        Ratios = [.. results.GroupBy(result => result.Case).SelectMany(api => Ratio.Of(scenario.Name, api.Key, [.. api.Select(result => (result.Peer, result.OperationsPerSecond))]))],
        Notes = notes,
        Charts =
        [
            new BarChart(
                scenario.Name,
                $"{scenario.Name}: operations per second",
                [.. AllPeers.List.Select(peer => peer.Name)],
                [.. results.Select(result => new BarChart.Bar(result.Case, result.Peer, result.OperationsPerSecond))]),
        ],
        Data = results,
    };
}
