using System.Data.Common;
using System.Globalization;
using EfPooling.Benchmarks.Load.Apis;
using EfPooling.Benchmarks.Load.Peers;
using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>Connections that are open and do nothing. Measured once: memory is not noisy.</summary>
internal sealed class IdleScenario(int backendLimit) : Scenario
{
    private const string AboutMemory =
        "Resident memory counts what the server's processes share once for each of them; proportional memory divides it among them. PgBouncer's is what its process has in all.";

    private const int Wanted = 10_000;
    private const int QuickWanted = 100;
    private const int Logins = 8; // connections that are opened at the same time

    public override string Name => "idle";

    public override string Description => "10,000 open connections that do nothing; peers that take a server connection for each open as many as the server allows";

    public override async Task<ScenarioResult> RunAsync(LoadContext context, ILoadProgress progress)
    {
        var wanted = context.Options.IsQuick ? QuickWanted : Wanted;
        progress.Begin(context.Peers.Count);
        var results = new List<IdleResult>();
        var notes = new List<string>();
        foreach (var peer in context.Peers)
        {
            progress.Step(peer.Name);
            var count = peer is NpgsqlDefaultPeer or NpgsqlNoResetPeer ? Math.Min(wanted, backendLimit) : wanted;
            try
            {
                results.Add(await MeasureAsync(context, peer, count));
            }
            catch (Exception e) when (e is DbException or TimeoutException or InvalidOperationException)
            {
                notes.Add($"{peer.Name} could not open {count} connections: {e.Message}");
            }
        }

        return new ScenarioResult
        {
            Name = Name,
            Description = Description,
            Table = CreateTable(results),
            Ratios = [.. Ratio.Of(Name, ApiNames.Ado, [.. results.Select(result => (result.Peer, result.BytesPerConnection))])],
            Notes = [.. notes, AboutMemory],
            Charts =
            [
                new BarChart(
                    Name,
                    "idle: bytes of the client for each open connection",
                    [.. AllPeers.List.Select(peer => peer.Name)],
                    [.. results.Select(result => new BarChart.Bar(ApiNames.Ado, result.Peer, result.BytesPerConnection))]),
            ],
            Data = results,
        };
    }

    private static async Task<IdleResult> MeasureAsync(LoadContext context, Peer peer, int count)
    {
        await using var session = peer.Open(context.Endpoints, new PoolShape(peer is NpgsqlDefaultPeer or NpgsqlNoResetPeer ? count : SteadyScenario.ServerConnections, count));
        await new AdoApi(session.DataSource).ReadItemAsync(0); // What is there once, such as the types, is no connection's.
        var connections = new DbConnection?[count];
        var before = GC.GetTotalMemory(forceFullCollection: true);
        try
        {
            var next = -1;
            await Task.WhenAll(Enumerable.Range(0, Logins).Select(async _ =>
            {
                for (var i = Interlocked.Increment(ref next); i < count; i = Interlocked.Increment(ref next))
                {
                    connections[i] = await session.DataSource.OpenConnectionAsync();
                }
            }));
            var bytes = GC.GetTotalMemory(forceFullCollection: true) - before;
            var backends = ProcessMemory.Read(await context.Sampler.ReadBackendsAsync(peer.Name));
            var bouncer = peer is PgBouncerPeer ? ProcessMemory.Read([context.Endpoints.Bouncer!.ProcessId]) : null;
            return new IdleResult(peer.Name, count, (double)bytes / count, backends, bouncer);
        }
        finally
        {
            foreach (var connection in connections.OfType<DbConnection>())
            {
                await connection.DisposeAsync();
            }
        }
    }

    private static ResultTable CreateTable(IEnumerable<IdleResult> results) => new(
        ["peer", "open connections", "client B/connection", "server processes", "resident MB", "proportional MB", "PgBouncer resident MB"],
        1,
        [.. results.Select(result => new[]
        {
            result.Peer,
            PeerTable.Number(result.Opened, 0),
            PeerTable.Number(result.BytesPerConnection, 0),
            PeerTable.Number(result.Backends.Processes, 0),
            Megabytes(result.Backends.Resident),
            Megabytes(result.Backends.Proportional),
            Megabytes(result.Bouncer?.Resident),
        })]);

    private static string Megabytes(long? bytes) => bytes is { } known ? (known / 1_048_576.0).ToString("N1", CultureInfo.InvariantCulture) : "-";
}
