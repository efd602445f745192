using Microsoft.Extensions.Logging;

namespace EfPooling.AdoNet;

/// <summary>All log messages of the ADO.NET layer; event ids 1100 to 1199.</summary>
internal static partial class Log
{
    [LoggerMessage(1100, LogLevel.Information, "The liveness check of an idle server connection failed; it is closed and another one is used.")]
    public static partial void CheckFailed(ILogger logger, Exception error);

    [LoggerMessage(1101, LogLevel.Debug, "Closing a server connection failed; the server notices by itself.")]
    public static partial void CloseFailed(ILogger logger, Exception error);

    [LoggerMessage(1102, LogLevel.Information, "Pool '{Pool}': a connection was pinned to a session of its own ({Reason}): {Statement}.")]
    public static partial void Pinned(ILogger logger, string pool, PinReason reason, string? statement);

    [LoggerMessage(1107, LogLevel.Debug, "Pool '{Pool}': a connection was pinned to a session of its own (session mode).")]
    public static partial void SessionModePinned(ILogger logger, string pool);

    [LoggerMessage(1108, LogLevel.Warning, "The catalog of functions and views could not be read. Until it can be, every server connection is reset after use and no reads share round trips.")]
    public static partial void CatalogRefused(ILogger logger, Exception error);

    [LoggerMessage(1109, LogLevel.Debug, "The database's functions, views, triggers or types have changed; the effects of SQL texts on their session are judged anew.")]
    public static partial void CatalogChanged(ILogger logger);

    [LoggerMessage(1103, LogLevel.Information, "Rolling back a transaction failed; its server connection is closed, which rolls back.")]
    public static partial void RollbackFailed(ILogger logger, Exception error);

    [LoggerMessage(1104, LogLevel.Debug, "Pool '{Pool}': the plan of a prepared statement was outdated by a schema change; the statement runs again.")]
    public static partial void StalePlanRetried(ILogger logger, string pool);

    [LoggerMessage(1105, LogLevel.Debug, "Closing the open reader of a transaction that was disposed failed; the transaction is rolled back.")]
    public static partial void ReaderCloseFailed(ILogger logger, Exception error);

    [LoggerMessage(1106, LogLevel.Error, "Pool '{Pool}': {Verb} PREPARED failed; the transaction stays prepared on the server as '{Transaction}' until it is ended explicitly.")]
    public static partial void EndPreparedFailed(ILogger logger, Exception error, string pool, string verb, string transaction);

    [LoggerMessage(1112, LogLevel.Information, "The network connection was cut while a server connection was being opened; the open is tried again once.")]
    public static partial void LoginCut(ILogger logger, Exception error);

    [LoggerMessage(1111, LogLevel.Error, "The physical connection initializer failed on a session that was reset. The server connection is closed.")]
    public static partial void InitializerFailed(ILogger logger, Exception error);

    [LoggerMessage(1120, LogLevel.Warning, "Pool '{Pool}': the connection for notifications broke; {Subscribers} subscribers receive a gap once another one is open.")]
    public static partial void NotificationsBroken(ILogger logger, Exception error, string pool, int subscribers);

    [LoggerMessage(1121, LogLevel.Information, "Pool '{Pool}': notifications are received again after {Outage}; {Subscribers} subscribers received a gap.")]
    public static partial void NotificationsReceivedAgain(ILogger logger, string pool, TimeSpan outage, int subscribers);

    [LoggerMessage(1122, LogLevel.Warning, "Pool '{Pool}': no connection for notifications could be opened; next attempt in {Pause} if there are subscribers by then. {Refused} subscribers received the error.")]
    public static partial void NotificationsFailed(ILogger logger, Exception error, string pool, TimeSpan pause, int refused);

    [LoggerMessage(1123, LogLevel.Warning, "Pool '{Pool}': {Subscribers} subscribers of channel '{Channel}' fell {Backlog} notifications behind; they receive a gap instead.")]
    public static partial void SubscribersFellBehind(ILogger logger, string pool, string channel, int subscribers, int backlog);

    [LoggerMessage(1130, LogLevel.Trace, "Pool '{Pool}': {Reads} reads share a round trip.")]
    public static partial void BatchSent(ILogger logger, string pool, int reads);

    [LoggerMessage(1131, LogLevel.Debug, "Pool '{Pool}': {Reads} reads that shared a round trip run again elsewhere ({Reason}).")]
    public static partial void Requeued(ILogger logger, Exception? error, string pool, int reads, RequeueReason reason);

    [LoggerMessage(1132, LogLevel.Debug, "Pool '{Pool}': this text shares no round trips for a while, because it fails or takes long too often: {Text}.")]
    public static partial void TextSuspended(ILogger logger, string pool, string? text);

    [LoggerMessage(1133, LogLevel.Warning, "Pool '{Pool}': a listener of the meter or activity source EfPooling threw an exception. Its measurement or span is lost, nothing else.")]
    public static partial void ListenerFailed(ILogger logger, Exception error, string pool);

    [LoggerMessage(1134, LogLevel.Warning, "Pool '{Pool}': a read tried to write, so one of its functions is volatile. It shares no round trips any more: {Text}.")]
    public static partial void ReadWrites(ILogger logger, string pool, string? text);

    [LoggerMessage(1135, LogLevel.Warning, "Pool '{Pool}': reads share no round trips, because the server refuses what makes them read-only: pg_catalog.set_config('transaction_read_only', 'on', true). It is asked again every minute. Grant EXECUTE on it, or set Multiplexing to Off.")]
    public static partial void NoBatches(ILogger logger, Exception error, string pool);

    [LoggerMessage(1136, LogLevel.Warning, "Pool '{Pool}': reads that share round trips have no spans in the traces of their callers, because the activity source EfPooling has no listener. Add it beside Npgsql: AddSource(\"EfPooling\").")]
    public static partial void NoSpans(ILogger logger, string pool);

    [LoggerMessage(1137, LogLevel.Information, "Pool '{Pool}': reads share no round trips, because transactions are serializable by default.")]
    public static partial void Serializable(ILogger logger, string pool);

    [LoggerMessage(1138, LogLevel.Debug, "Pool '{Pool}': reads share no round trips for a while, because the server takes long for most of them.")]
    public static partial void EverybodySuspended(ILogger logger, string pool);

    [LoggerMessage(1140, LogLevel.Debug, "Pool '{Pool}' is closed, because the data source that it was built on was disposed.")]
    public static partial void SourceDisposed(ILogger logger, string pool);

    [LoggerMessage(1141, LogLevel.Debug, "Pool '{Pool}' was not closed and is no longer referenced; its {Connections} server connections are closed now. Dispose data sources.")]
    public static partial void Forgotten(ILogger logger, string pool, int connections);

    [LoggerMessage(1142, LogLevel.Debug, "Pool '{Pool}' was not used for {Timeout} (PoolIdleTimeout); its server connections are closed unless a connection is open, and it is removed when it is no longer referenced.")]
    public static partial void Unused(ILogger logger, string pool, TimeSpan timeout);
}
