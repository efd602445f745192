using System.Globalization;
using EfPooling.Benchmarks.Load.Peers;

namespace EfPooling.Benchmarks.Load.Report;

/// <summary>EfPooling's number divided by a peer's.</summary>
/// <param name="Scenario">Name of the scenario.</param>
/// <param name="Api">Name of the API.</param>
/// <param name="Peer">Name of the peer.</param>
/// <param name="Value">Of operations per second, where more is better; in <c>idle</c> of bytes per connection, where less is better.</param>
internal sealed record Ratio(string Scenario, string Api, string Peer, double Value)
{
    /// <summary>The ratios to all other peers; none if EfPooling was not measured. A peer that did nothing has none.</summary>
    /// <param name="scenario">Name of the scenario.</param>
    /// <param name="api">Name of the API.</param>
    /// <param name="values">By name of the peer.</param>
    public static IEnumerable<Ratio> Of(string scenario, string api, IReadOnlyCollection<(string Peer, double Value)> values)
        => from ours in values
           where ours.Peer == AllPeers.Ours
           from theirs in values
           where theirs.Peer != AllPeers.Ours && theirs.Value > 0
           select new Ratio(scenario, api, theirs.Peer, ours.Value / theirs.Value);

    /// <summary>The line that scripts read.</summary>
    public override string ToString()
        => string.Create(CultureInfo.InvariantCulture, $"RATIO {Scenario}/{Api} {AllPeers.Ours}/{Peer} {Value:0.000}");
}
