namespace EfPooling.AdoNet;

/// <summary>What a subscriber of a channel receives: a notification, or a gap in which some may have been missed.</summary>
/// <param name="Channel">The channel, as it was given to <c>SubscribeAsync</c>.</param>
/// <param name="Payload">The payload that the sender passed to NOTIFY; empty if none, and for a gap.</param>
/// <param name="ServerProcessId">The backend that sent it, as in <c>pg_stat_activity.pid</c>; 0 for a gap.</param>
public sealed record ChannelNotification(string Channel, string Payload, int ServerProcessId)
{
    /// <summary>
    /// Whether this is a gap, not a notification. Notifications sent before a gap may be missing. Notifications whose transaction
    /// commits after it are delivered, in order, until the next gap. A subscriber that keeps a copy of some data must reload it
    /// now.
    /// </summary>
    public bool IsGap { get; init; }

    /// <summary>A gap, for tests of code that handles notifications.</summary>
    public static ChannelNotification Gap(string channel) => new(channel, "", 0) { IsGap = true };
}
