using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace EfPooling.AdoNet.Tests;

/// <summary>A way to a server that ends TLS in its place, as PostgreSQL does with <c>ssl = on</c>, and asks for a client's certificate.</summary>
internal sealed class TlsRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<Socket> _sockets = new();
    private readonly X509Certificate2 _certificate;
    private readonly Task _accepting;
    private string? _client;

    public TlsRelay(string host, int port, X509Certificate2 certificate)
    {
        _certificate = certificate;
        _listener.Start();
        _accepting = AcceptAsync(host, port);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The subject of the certificate that the latest client has shown; empty if it had none, <c>null</c> if it spoke no TLS.</summary>
    public string? Client => Volatile.Read(ref _client);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }

        _listener.Dispose();
    }

    private async Task AcceptAsync(string host, int port)
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync();
                _sockets.Enqueue(client);
                _ = ServeAsync(client, host, port);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(Socket client, string host, int port)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _sockets.Enqueue(server);
        try
        {
            await using var plain = new NetworkStream(client, ownsSocket: true);
            if (await PeekAsync(client) == 0) // The request for TLS; a client that negotiates directly begins with TLS itself.
            {
                await plain.ReadExactlyAsync(new byte[8]);
                await plain.WriteAsync("S"u8.ToArray());
            }

            await using var secured = new SslStream(plain, leaveInnerStreamOpen: false);
            await secured.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificate = _certificate,
                ClientCertificateRequired = true,
                ApplicationProtocols = [new SslApplicationProtocol("postgresql")],
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    Volatile.Write(ref _client, certificate?.Subject ?? "");
                    return certificate is null || certificate.Subject.StartsWith("CN=", StringComparison.Ordinal); // Who it is, is for the test to say.
                },
            });
            await server.ConnectAsync(host, port);
            await using var behind = new NetworkStream(server, ownsSocket: true);
            await Task.WhenAny(secured.CopyToAsync(behind), behind.CopyToAsync(secured));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or AuthenticationException)
        {
            client.Dispose(); // A side has hung up, or does not trust the other.
            server.Dispose();
        }
    }

    private static async Task<byte> PeekAsync(Socket client)
    {
        var first = new byte[1];
        await client.ReceiveAsync(first, SocketFlags.Peek);
        return first[0];
    }
}
