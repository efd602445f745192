namespace EfPooling.AdoNet;

/// <summary>One channel and who subscribes to it. Guarded by the gate of the <see cref="SubscriptionLedger"/>.</summary>
internal sealed class SubscribedChannel(string name)
{
    public string Name => name;

    public List<Subscription> Subscriptions { get; } = [];

    /// <summary>The LISTEN on the connection of now has been committed.</summary>
    public bool IsListening { get; set; }
}
