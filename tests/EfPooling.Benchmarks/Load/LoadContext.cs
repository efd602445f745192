using EfPooling.Benchmarks.Load.Apis;
using EfPooling.Benchmarks.Load.Measuring;
using EfPooling.Benchmarks.Load.Peers;
using EfPooling.Benchmarks.Load.Scenarios;

namespace EfPooling.Benchmarks.Load;

/// <summary>What a scenario works with.</summary>
/// <param name="Endpoints">The servers.</param>
/// <param name="Peers">Those that were asked for and can run here, in the order of the tables.</param>
/// <param name="Sampler">Counts backends.</param>
/// <param name="Options">What the user asked for.</param>
internal sealed record LoadContext(Endpoints Endpoints, IReadOnlyList<Peer> Peers, BackendSampler Sampler, LoadOptions Options)
{
    /// <summary>The APIs that a scenario goes through. A quick run takes ADO.NET alone where another scenario has shown that the others work.</summary>
    public IReadOnlyList<string> ApisOf(Scenario scenario)
        => Options.Apis ?? (Options.IsQuick && !scenario.IsQuickWithAllApis ? [ApiNames.Ado] : ApiNames.All);

    /// <summary>The peers, begun with another one in each round, so that none always follows the same.</summary>
    public IEnumerable<Peer> PeersOf(int round) => Peers.Select((_, i) => Peers[(i + round) % Peers.Count]);
}
