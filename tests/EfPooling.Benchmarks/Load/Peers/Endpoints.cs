using EfPooling.Benchmarks.Load.Bouncer;
using Npgsql;

namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>Where the servers are, as seen by the peers. Travels as JSON to processes of our own.</summary>
/// <param name="ConnectionString">Of PostgreSQL.</param>
/// <param name="Bouncer">PgBouncer in front of it; null if there is none on this machine.</param>
internal sealed record Endpoints(string ConnectionString, BouncerEndpoint? Bouncer)
{
    /// <summary>Statements are prepared by themselves after five uses, up to this number, for every peer that can.</summary>
    public const int MaxAutoPrepare = 200;

    private const int Patience = 300; // seconds; callers who wait long are slow, not wrong

    /// <summary>What the connection strings of all peers have in common.</summary>
    public NpgsqlConnectionStringBuilder KeywordsFor(Peer peer) => new(ConnectionString)
    {
        ApplicationName = peer.Name,
        MaxAutoPrepare = MaxAutoPrepare,
        Timeout = Patience,
        CommandTimeout = Patience,
    };
}
