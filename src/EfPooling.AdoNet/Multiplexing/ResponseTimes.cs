namespace EfPooling.AdoNet;

/// <summary>
/// How long the server of a pool takes to answer. Thread-safe: these are estimates, so a lost update does no harm. All in ticks.
/// </summary>
internal sealed class ResponseTimes
{
    private const int NetworkMemory = 256; // samples after which a slower network is believed
    private const int ResponseMemory = 8; // samples

    private long _network; // Volatile: the shortest round trip
    private long _response; // Volatile: moving average of the time from sending to the first result

    /// <summary>How long a result slot may take before the reads behind it are requeued.</summary>
    public static long StallLimit => TimeSpan.FromMilliseconds(20).Ticks;

    /// <summary>How long the first result of a batch, or a solo run, may take: the network is part of it.</summary>
    public long Limit => Math.Clamp(4 * Volatile.Read(ref _response), StallLimit, LongestResponse);

    private static long LongestResponse => TimeSpan.FromSeconds(1).Ticks;

    /// <summary>
    /// A batch got its first result. A late one counts little, so that the limit follows the network but no single statement.
    /// </summary>
    /// <param name="duration">The time since it was sent.</param>
    /// <param name="hasBegun">Whether it began; if not, it failed, perhaps before it reached the network.</param>
    /// <returns>The part of that time that was not the network's.</returns>
    public long OnBatch(long duration, bool hasBegun)
    {
        var response = Volatile.Read(ref _response);
        Volatile.Write(ref _response, response + ((Math.Min(duration, 2 * Limit) - response) / ResponseMemory));
        return duration - (hasBegun ? OnRoundTrip(duration) : Math.Min(duration, Volatile.Read(ref _network)));
    }

    /// <summary>The shortest round trip is the network's. It is forgotten slowly, because networks change.</summary>
    /// <returns>The network's part.</returns>
    public long OnRoundTrip(long duration)
    {
        var network = Volatile.Read(ref _network);
        network = network == 0 || duration < network ? duration : network + ((duration - network) / NetworkMemory);
        Volatile.Write(ref _network, network);
        return network;
    }
}
