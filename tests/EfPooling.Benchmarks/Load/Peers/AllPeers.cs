namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>The peers in the order of the tables.</summary>
internal static class AllPeers
{
    /// <summary>The peer that the others are compared with.</summary>
    public const string Ours = "efpooling";

    public static IReadOnlyList<Peer> List { get; } =
    [
        new NpgsqlDefaultPeer(),
        new NpgsqlNoResetPeer(),
        new NpgsqlMultiplexingPeer(),
        new PgBouncerPeer(),
        new EfPoolingPeer(multiplexes: false),
        new EfPoolingPeer(multiplexes: true),
    ];
}
