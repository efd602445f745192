namespace EfPooling.AdoNet;

/// <summary>An object bound to one server connection, and notified at once when that connection breaks.</summary>
internal interface IServerHolder
{
    /// <summary>
    /// The connection broke: found by keepalive, or by a caller with direct access to it. Called from any thread.
    /// </summary>
    void OnServerBroken();

    /// <summary>The connection may have broken under its present, rightful user.</summary>
    void OnLost(ServerConnection server);
}
