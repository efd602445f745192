namespace EfPooling.AdoNet;

/// <summary>What a subscriber of a channel is told: a notification, or that some may have been missed.</summary>
/// <param name="Channel">The channel, as it was given to <c>SubscribeAsync</c>.</param>
/// <param name="Payload">What the sender passed to NOTIFY; empty if nothing, and for a gap.</param>
/// <param name="ServerProcessId">The backend that sent it, as in <c>pg_stat_activity.pid</c>; 0 for a gap.</param>
public sealed record ChannelNotification(string Channel, string Payload, int ServerProcessId)
{
    /// <summary>
    /// Whether this is no notification but a gap: what was sent before it may be missing, and everything whose transaction commits after it
    /// is delivered, in order, until the next gap. Who keeps a copy of something loads it anew now.
    /// </summary>
    public bool IsGap { get; init; }

    /// <summary>A gap, for tests of code that handles notifications.</summary>
    public static ChannelNotification Gap(string channel) => new(channel, "", 0) { IsGap = true };
}
