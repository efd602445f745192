namespace EfPooling.AdoNet;

/// <summary>One channel and its subscribers. Guarded by the gate of the <see cref="SubscriptionLedger"/>.</summary>
internal sealed class SubscribedChannel(string name)
{
    public string Name => name;

    public List<Subscription> Subscriptions { get; } = [];

    /// <summary>Whether the LISTEN on the present connection has been committed.</summary>
    public bool IsListening { get; set; }
}
