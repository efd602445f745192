using System.Net;
using System.Net.Sockets;

namespace EfPooling.Benchmarks.Load.Relay;

/// <summary>
/// Passes TCP connections on to a server and delays each direction by the same time, as a long wire does: bytes arrive
/// in order and unchanged, and any number of them may be under way. Thread-safe.
/// </summary>
internal sealed class DelayRelay : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly DelayLine _line;
    private readonly string _targetHost;
    private readonly int _targetPort;
    private readonly Task _accepting;

    /// <param name="targetHost">Name or address of the server.</param>
    /// <param name="targetPort">Its port.</param>
    /// <param name="delay">Of each direction: half of the round trip.</param>
    public DelayRelay(string targetHost, int targetPort, TimeSpan delay)
    {
        _targetHost = targetHost;
        _targetPort = targetPort;
        _line = new DelayLine(delay);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(4_096);
        _accepting = AcceptAsync();
    }

    /// <summary>Where to connect to, on 127.0.0.1.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        _line.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var client = await _listener.AcceptAsync();
                _ = PassAsync(client);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return; // disposed
            }
        }
    }

    /// <summary>Serves one connection until both directions have ended.</summary>
    private async Task PassAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (client)
        {
            try
            {
                client.NoDelay = true;
                server.NoDelay = true;
                await server.ConnectAsync(_targetHost, _targetPort);
                await Task.WhenAll(
                    new RelayDirection(client, server, _line).RunAsync(),
                    new RelayDirection(server, client, _line).RunAsync());
            }
            catch (SocketException)
            {
                // Nobody there, or gone: the client sees its connection closed.
            }
        }
    }
}
