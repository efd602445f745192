namespace EfPooling.AdoNet;

/// <summary>
/// The server connection that this connection kept for itself broke earlier. The state of its session is lost: locks, temporary
/// objects, settings, a transaction. The connection was closed, and can be opened again. Nothing was sent.
/// </summary>
public sealed class SessionLostException : InvalidOperationException
{
    internal SessionLostException()
        : base("The connection is not open: the server connection that it kept for itself broke, and its session is lost, with the locks, temporary objects and settings in it. Open the connection again, and make anew what you need.")
    {
    }
}
