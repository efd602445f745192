using System.Text.Json;
using EfPooling.Benchmarks.Load.Apis;
using EfPooling.Benchmarks.Load.Measuring;
using EfPooling.Benchmarks.Load.Peers;
using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>Measures what the <see cref="ScaleOrder"/> on standard input says and writes steps and, as the last line, the cells in JSON.</summary>
internal static class ScaleVerb
{
    public const string Name = "scale-cells";
    public const string StepPrefix = "step ";

    public static async Task<int> RunAsync()
    {
        var order = JsonSerializer.Deserialize<ScaleOrder>((await Console.In.ReadLineAsync())!)!;
        var peers = AllPeers.List.Where(peer => order.Peers.Contains(peer.Name)).ToList();
        await using var sampler = await BackendSampler.OpenAsync(order.Endpoints.ConnectionString);
        var options = new LoadOptions([], [ApiNames.Ado], order.Peers, order.Times, order.Rounds, Out: null, IsQuick: false);
        var context = new LoadContext(order.Endpoints, peers, sampler, options);
        var cells = new List<ScaleCell>();
        foreach (var size in order.ServerConnections)
        {
            cells.AddRange(await RunAsync(context, order.Cores, size));
        }

        await Console.Out.WriteLineAsync(JsonSerializer.Serialize(cells));
        return 0;
    }

    private static async Task<IEnumerable<ScaleCell>> RunAsync(LoadContext context, int cores, int size)
    {
        var runner = new SliceRunner(context.Sampler);
        await using var sessions = new PeerSessions(context.Peers, context.Endpoints, new PoolShape(size, ScenarioCatalogue.PointReaders));
        var slices = context.Peers.ToDictionary(peer => peer, _ => new List<Slice>());
        for (var round = 0; round < context.Options.Rounds; round++)
        {
            foreach (var peer in context.PeersOf(round))
            {
                await Console.Out.WriteLineAsync($"{StepPrefix}{cores} cores, {size} connections, round {round + 1}, {peer.Name}");
                await Console.Out.FlushAsync();
                var data = sessions.GetApi(peer, ApiNames.Ado);
                slices[peer].Add(await runner.RunAsync(peer.Name, ScenarioCatalogue.PointReaders, context.Options.Times, caller => Operations.ReadItemAsync(data, caller)));
            }
        }

        return context.Peers.Select(peer => new ScaleCell(cores, size, PeerResult.From($"{cores} / {size}", peer.Name, slices[peer])));
    }
}
