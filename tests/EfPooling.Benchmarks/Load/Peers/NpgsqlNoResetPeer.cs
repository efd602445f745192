namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>Npgsql's pool at its fastest: the next caller gets what the last one left behind.</summary>
internal sealed class NpgsqlNoResetPeer : Peer
{
    public override string Name => "npgsql-no-reset";

    public override string Describe(Endpoints endpoints) => "Npgsql's pool with No Reset On Close=true";

    public override PeerSession Open(Endpoints endpoints, PoolShape shape)
    {
        var keywords = endpoints.KeywordsFor(this);
        keywords.MaxPoolSize = shape.ServerConnections;
        keywords.NoResetOnClose = true;
        return PeerSession.OnNpgsql(keywords);
    }
}
