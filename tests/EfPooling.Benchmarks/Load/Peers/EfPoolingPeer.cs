using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>EfPooling with trains, or with trains off.</summary>
internal sealed class EfPoolingPeer(bool trains) : Peer
{
    public override string Name => trains ? AllPeers.Ours : "efpooling-no-trains";

    public override string Describe(Endpoints endpoints) => trains ? "EfPooling with trains (Multiplexing=Auto)" : "EfPooling with trains off";

    public override PeerSession Open(Endpoints endpoints, PoolShape shape)
    {
        var connectionString = endpoints.KeywordsFor(this).ConnectionString;
        return PeerSession.Create(
            services => services.AddTransactionPooling(connectionString, options => Configure(options, shape)),
            options => options.UseNpgsql(connectionString).UseTransactionPooling());
    }

    private void Configure(TransactionPoolingOptions options, PoolShape shape)
    {
        options.MaxPoolSize = shape.ServerConnections;

        options.Multiplexing = trains ? MultiplexingMode.Auto : MultiplexingMode.Off;
    }
}
