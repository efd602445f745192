namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>Npgsql's pool as it comes: a connection is reset whenever it goes back.</summary>
internal sealed class NpgsqlDefaultPeer : Peer
{
    public override string Name => "npgsql-default";

    public override string Describe(Endpoints endpoints) => "Npgsql's pool as it comes: resets each connection that goes back";

    public override PeerSession Open(Endpoints endpoints, PoolShape shape)
    {
        var keywords = endpoints.KeywordsFor(this);
        keywords.MaxPoolSize = shape.ServerConnections;
        return PeerSession.OnNpgsql(keywords);
    }
}
