namespace EfPooling.AdoNet.Tests;

/// <summary>In what a session is leased, and so what may go on after its lease on the same server connection.</summary>
public enum LeasedIn
{
    Nothing,
    Transaction,
    AmbientTransaction,
    SessionMode,
    PinnedConnection,
}
