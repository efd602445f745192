using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>EfPooling with multiplexing, or with multiplexing off.</summary>
internal sealed class EfPoolingPeer(bool multiplexes) : Peer
{
    public override string Name => multiplexes ? AllPeers.Ours : "efpooling-no-multiplexing";

    public override string Describe(Endpoints endpoints) => multiplexes ? "EfPooling with multiplexing (Multiplexing=Auto)" : "EfPooling with multiplexing off";

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

        options.Multiplexing = multiplexes ? MultiplexingMode.Auto : MultiplexingMode.Off;
    }
}
