namespace EfPooling.AdoNet;

/// <summary>What a connection has to do to hear what is subscribed to, and nothing else.</summary>
/// <param name="Listen">Channels to LISTEN to.</param>
/// <param name="Unlisten">Channels to UNLISTEN.</param>
internal sealed record SubscriptionChanges(IReadOnlyList<string> Listen, IReadOnlyList<string> Unlisten)
{
    public bool AreNone => Listen.Count == 0 && Unlisten.Count == 0;
}
