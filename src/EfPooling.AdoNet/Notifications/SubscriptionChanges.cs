namespace EfPooling.AdoNet;

/// <summary>The changes after which a connection listens to the subscribed channels and no others.</summary>
/// <param name="Listen">Channels to LISTEN to.</param>
/// <param name="Unlisten">Channels to UNLISTEN.</param>
internal sealed record SubscriptionChanges(IReadOnlyList<string> Listen, IReadOnlyList<string> Unlisten)
{
    public bool AreNone => Listen.Count == 0 && Unlisten.Count == 0;
}
