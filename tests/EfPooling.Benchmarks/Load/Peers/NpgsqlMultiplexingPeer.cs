namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>Npgsql's multiplexing, which it has up to version 10.</summary>
internal sealed class NpgsqlMultiplexingPeer : Peer
{
    public override string Name => "npgsql-multiplexing";

    public override string Describe(Endpoints endpoints) => "Npgsql with Multiplexing=true";

    public override PeerSession Open(Endpoints endpoints, PoolShape shape)
    {
        var keywords = endpoints.KeywordsFor(this);
        keywords.MaxPoolSize = shape.ServerConnections;
        keywords.Multiplexing = true;
        return PeerSession.OnNpgsql(keywords);
    }
}
