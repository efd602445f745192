using EfPooling.Benchmarks.Load.Apis;
using EfPooling.Benchmarks.Load.Measuring;
using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>
/// Point reads with more and more processors and server connections. The client's processors are limited, those of the servers are not;
/// as a runtime learns when it starts how many it has, each number of them gets a process.
/// </summary>
internal sealed class ScaleScenario : Scenario
{
    /// <summary>Sizes of the pools.</summary>
    public static IReadOnlyList<int> Sizes { get; } = [1, 2, 4, 8, 16, 32];

    private static readonly IReadOnlyList<int> QuickSizes = [8];

    public override string Name => "scale";

    public override string Description => "point-reads through ADO.NET with 1, 2, 4 ... processors for the client and 1 to 32 server connections";

    public override async Task<ScenarioResult> RunAsync(LoadContext context, ILoadProgress progress)
    {
        var cores = ScaleProcess.CanLimit && !context.Options.IsQuick ? CoreCounts(Environment.ProcessorCount) : [Environment.ProcessorCount];
        var sizes = context.Options.IsQuick ? QuickSizes : Sizes;
        progress.Begin(cores.Count * sizes.Count * context.Options.Rounds * context.Peers.Count);

        // There are many cells; each gets a fifth of the time that other scenarios have.
        var times = context.Options.IsQuick ? context.Options.Times : new SliceTimes(context.Options.Times.WarmUp / 2, context.Options.Times.Measured / 5);
        var cells = new List<ScaleCell>();
        foreach (var count in cores)
        {
            var order = new ScaleOrder(context.Endpoints, [.. context.Peers.Select(peer => peer.Name)], times, context.Options.Rounds, sizes, count);
            cells.AddRange(await ScaleProcess.RunAsync(order, progress));
        }

        return CreateResult(cells, cores);
    }

    /// <summary>1, 2, 4 and so on, and all.</summary>
    private static List<int> CoreCounts(int all)
    {
        var counts = new List<int>();
        for (var count = 1; count < all; count *= 2)
        {
            counts.Add(count);
        }

        return [.. counts, all];
    }

    private ScenarioResult CreateResult(List<ScaleCell> cells, IReadOnlyList<int> cores)
    {
        var results = cells.Select(cell => cell.Result).ToList();
        var perCell = cells.GroupBy(cell => (cell.Cores, cell.ServerConnections))
            .SelectMany(cell => Ratio.Of(Name, ApiNames.Ado, [.. cell.Select(one => (one.Result.Peer, one.Result.OperationsPerSecond))]));
        return new ScenarioResult
        {
            Name = Name,
            Description = Description,
            Table = PeerTable.Create("cores / connections", results),
            Ratios =
            [
                .. perCell.Where(ratio => ratio.Value > 0).GroupBy(ratio => ratio.Peer)
                    .Select(peer => new Ratio(Name, ApiNames.Ado, peer.Key, Statistics.GeometricMean(peer.Select(ratio => ratio.Value)))),
            ],
            Notes =
            [
                "The ratios are geometric means over all numbers of processors and connections.",
                .. ScaleProcess.CanLimit ? [] : new[] { "There is no taskset here, so all processors were used only." },
                .. PeerTable.DescribeErrors(results),
            ],
            Charts = [.. cores.Select(count => CreateChart(count, [.. cells.Where(cell => cell.Cores == count)]))],
            Data = cells,
        };
    }

    private static LineChart CreateChart(int cores, List<ScaleCell> cells) => new(
        $"scale-{cores}",
        $"scale: point reads per second, {(cores == 1 ? "one processor" : $"{cores} processors")} for the client",
        "server connections",
        [.. cells.Select(cell => $"{cell.ServerConnections}").Distinct()],
        [.. cells.GroupBy(cell => cell.Result.Peer).Select(peer => new LineChart.Line(peer.Key, [.. peer.Select(cell => cell.Result.OperationsPerSecond)]))]);
}
