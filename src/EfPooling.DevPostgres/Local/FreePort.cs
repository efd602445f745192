using System.Net;
using System.Net.Sockets;

namespace EfPooling.Dev.Local;

/// <summary>Chooses ports for servers.</summary>
internal static class FreePort
{
    // Below the ports that Linux (32768), macOS and Windows (49152) give to outgoing connections. Otherwise a client that
    // keeps trying to reach a stopped server may be given the server's own port, connect to itself and block the restart.
    private const int First = 20_000;
    private const int AfterLast = 32_000;

    /// <summary>A port of 127.0.0.1 on which no process listens now. One may do so before the port is used: be ready to choose again.</summary>
    public static int Choose()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, AfterLast);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // taken
            }
        }
    }
}
