namespace EfPooling.AdoNet;

/// <summary>
/// What happens to a command that starts while a reader of the same connection is open and no read from it is running.
/// </summary>
public enum NestedCommandMode
{
    /// <summary>It throws <see cref="ConcurrentUseException"/>, because Npgsql cannot run it either.</summary>
    Refuse,

    /// <summary>
    /// Outside a transaction and session it runs on a second server connection. It throws instead of waiting if all server
    /// connections are held by callers that wait in the same way.
    /// </summary>
    OwnServerConnection,
}
