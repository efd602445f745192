namespace EfPooling.AdoNet;

/// <summary>Where a subscription is.</summary>
internal enum SubscriptionState
{
    /// <summary>Has never heard anything. If the server cannot be reached now, the subscriber is told so.</summary>
    New,

    /// <summary>Its channel is listened to, and it was told the gap that this began with.</summary>
    Live,

    /// <summary>Was live until the connection broke; waits for the next one.</summary>
    Interrupted,
}
