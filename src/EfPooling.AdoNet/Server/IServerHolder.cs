namespace EfPooling.AdoNet;

/// <summary>Is bound to one server connection, and told at once when that breaks.</summary>
internal interface IServerHolder
{
    /// <summary>It broke: by keepalive, or under somebody who uses it out of our sight. Called from any thread.</summary>
    void OnServerBroken();

    /// <summary>It may have broken under whoever uses it now, with the right to.</summary>
    void OnLost(ServerConnection server);
}
