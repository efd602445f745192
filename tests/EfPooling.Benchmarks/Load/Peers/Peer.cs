namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>One way to share server connections, compared with the others.</summary>
internal abstract class Peer
{
    /// <summary>Name on the command line, in results, and as <c>application_name</c> on the server.</summary>
    public abstract string Name { get; }

    /// <summary>How it is set up, in a few words.</summary>
    public abstract string Describe(Endpoints endpoints);

    /// <summary>Why it cannot run here; null if it can.</summary>
    public virtual string? WhyNot(Endpoints endpoints) => null;

    /// <summary>Opens pools of its own, cold: nothing is connected before the first use.</summary>
    public abstract PeerSession Open(Endpoints endpoints, PoolShape shape);
}
