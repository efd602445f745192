using EfPooling.Benchmarks.Load.Bouncer;

namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>
/// PgBouncer in transaction mode between Npgsql and the server. PgBouncer has the server connections; Npgsql keeps connections to
/// PgBouncer, does not reset them, and prepares statements if PgBouncer lets it.
/// </summary>
internal sealed class PgBouncerPeer : Peer
{
    public override string Name => "pgbouncer";

    public override string Describe(Endpoints endpoints) => endpoints.Bouncer is { } bouncer
        ? $"{bouncer.Version} in transaction mode, Npgsql without reset, {(bouncer.CanPrepare ? "prepared statements" : "no prepared statements: this version has none in transaction mode")}"
        : "PgBouncer in transaction mode";

    public override string? WhyNot(Endpoints endpoints) => endpoints.Bouncer is null ? "there is no pgbouncer on PATH or in /usr/sbin, or no user but root to run it as" : null;

    public override PeerSession Open(Endpoints endpoints, PoolShape shape)
    {
        var bouncer = endpoints.Bouncer ?? throw new InvalidOperationException(WhyNot(endpoints));
        var keywords = endpoints.KeywordsFor(this);
        keywords.Host = "127.0.0.1";
        keywords.Port = bouncer.Port;
        keywords.Database = BouncerConfiguration.DatabaseFor(shape.ServerConnections);
        keywords.MaxPoolSize = shape.ClientConnections;
        keywords.NoResetOnClose = true;
        keywords.MaxAutoPrepare = bouncer.CanPrepare ? keywords.MaxAutoPrepare : 0;
        return PeerSession.OnNpgsql(keywords);
    }
}
