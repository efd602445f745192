namespace EfPooling.Core;

/// <summary>Why a server connection was closed.</summary>
public enum RetireReason
{
    /// <summary>The connection broke, or could not be shown to be healthy after an error.</summary>
    Broken,

    /// <summary>The liveness check before handing it out failed (<see cref="PoolOptions.ServerCheckDelay"/>).</summary>
    FailedCheck,

    /// <summary>It reached its <see cref="PoolOptions.ServerLifetime"/>.</summary>
    Lifetime,

    /// <summary>It was unused for <see cref="PoolOptions.ServerIdleTimeout"/>.</summary>
    Idle,

    /// <summary>The pool was cleared after it had been opened.</summary>
    Cleared,

    /// <summary>It belonged to the reserve, and no caller entitled to the reserve was waiting.</summary>
    ReserveSurplus,

    /// <summary>The pool is closed.</summary>
    PoolClosed,

    /// <summary>The session state could not be reset for the next owner.</summary>
    ResetFailed,

    /// <summary>Its holder required another connection than the last time, and no other was free (shuffle mode).</summary>
    Shuffled,

    /// <summary>Its holder had direct access to the connection and might go on using it.</summary>
    Exposed,

    /// <summary>The connection string's rules for several hosts no longer select its host.</summary>
    HostRules,

    /// <summary>The pool is paused, and a paused pool keeps no server connection.</summary>
    Paused,

    /// <summary>A reconnect has replaced it.</summary>
    Reconnected,
}
