namespace EfPooling.AdoNet;

/// <summary>A logical connection, as those see it who run its statements.</summary>
internal interface IConnectionHost : ICallSiteSource
{
    /// <summary>The context that made it; <c>null</c> if none did.</summary>
    object? Owner { get; }

    /// <summary>What its statements want; <c>null</c> if there are none.</summary>
    ConnectionSettings? Settings { get; }

    /// <summary>What happens to a statement that needs a session of its own; <c>null</c>: as the pool's option says.</summary>
    SessionStatePolicy? SessionState { get; }

    /// <summary>The server connection of the latest lease, in shuffle mode. Used by the holder of the gate.</summary>
    ServerConnection? LastServer { get; set; }

    /// <summary>Its present opening.</summary>
    /// <exception cref="InvalidOperationException">It is not open.</exception>
    ConnectionScope OpenScope { get; }

    /// <summary>Of its pool; <c>null</c> if it has none.</summary>
    ConcurrencyGuard? Guard { get; }

    /// <summary>The settings, made if need be.</summary>
    ConnectionSettings RequireSettings();

    /// <summary>What SQL has set lasts until the connection is closed, as it does without a pool.</summary>
    void ForgetFollowedSettings();

    /// <summary>It broke before all answers to a statement were read from a reader that was given away, and what that wrote may be committed.</summary>
    void OnAnswerLost();

    /// <summary>The session to which an opening is bound broke.</summary>
    void OnSessionLost(ConnectionScope opening);

    void Close();

    Task CloseAsync();
}
