using Microsoft.Extensions.Logging;

namespace EfPooling.Core;

/// <summary>All log messages of the engine; event ids 1000 to 1099.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Debug, "Pool '{Pool}': server connection opened in slot {Slot}.")]
    public static partial void Opened(ILogger logger, string pool, int slot);

    [LoggerMessage(1001, LogLevel.Warning, "Pool '{Pool}': opening a server connection failed; next attempt in {Pause}. {WaitersRefused} waiters were refused.")]
    public static partial void OpenFailed(ILogger logger, Exception error, string pool, TimeSpan pause, int waitersRefused);

    [LoggerMessage(1002, LogLevel.Debug, "Pool '{Pool}': server connection in slot {Slot} closed ({Reason}).")]
    public static partial void Retired(ILogger logger, string pool, int slot, RetireReason reason);

    [LoggerMessage(1003, LogLevel.Warning, "Pool '{Pool}': server connection in slot {Slot} closed ({Reason}).")]
    public static partial void RetiredUnhealthy(ILogger logger, string pool, int slot, RetireReason reason);

    [LoggerMessage(1004, LogLevel.Warning, "Pool '{Pool}': a caller stopped waiting after {Limit}; {InUse} in use, {Waiting} still waiting.")]
    public static partial void WaitTimedOut(ILogger logger, string pool, TimeSpan limit, int inUse, int waiting);

    [LoggerMessage(1005, LogLevel.Information, "Pool '{Pool}' cleared: {Idle} idle connections are closed now, {InUse} in use when they come back.")]
    public static partial void Cleared(ILogger logger, string pool, int idle, int inUse);

    [LoggerMessage(1006, LogLevel.Information, "Pool '{Pool}' closed; {InUse} leases were still out.")]
    public static partial void PoolClosed(ILogger logger, string pool, int inUse);

    [LoggerMessage(1007, LogLevel.Error, "Pool '{Pool}': closing the server connection in slot {Slot} threw; it is taken as closed.")]
    public static partial void CloseFailed(ILogger logger, Exception error, string pool, int slot);

    [LoggerMessage(1008, LogLevel.Error, "Pool '{Pool}': the connector threw when opens under way were cancelled.")]
    public static partial void CancelFailed(ILogger logger, Exception error, string pool);

    [LoggerMessage(1009, LogLevel.Information, "Pool '{Pool}' is paused; {InUse} leases are still out. Callers wait until it is resumed.")]
    public static partial void Paused(ILogger logger, string pool, int inUse);

    [LoggerMessage(1010, LogLevel.Information, "Pool '{Pool}' is resumed; {Waiting} callers have waited.")]
    public static partial void Resumed(ILogger logger, string pool, int waiting);

    [LoggerMessage(1011, LogLevel.Information, "Pool '{Pool}' is disabled; new callers are refused.")]
    public static partial void Disabled(ILogger logger, string pool);

    [LoggerMessage(1012, LogLevel.Information, "Pool '{Pool}' is enabled; callers are admitted again.")]
    public static partial void Enabled(ILogger logger, string pool);

    [LoggerMessage(1013, LogLevel.Information, "Pool '{Pool}': {Connections} server connections are being replaced within {Over}.")]
    public static partial void Reconnecting(ILogger logger, string pool, int connections, TimeSpan over);
}
