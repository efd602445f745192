namespace EfPooling.AdoNet;

/// <summary>The state of a subscription.</summary>
internal enum SubscriptionState
{
    /// <summary>It has never received anything. If the server cannot be reached now, the subscriber gets the error.</summary>
    New,

    /// <summary>Its channel is listened to, and it has received the gap with which that began.</summary>
    Live,

    /// <summary>It was live until the connection broke, and waits for the next one.</summary>
    Interrupted,
}
