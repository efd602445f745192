using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace EfPooling.AdoNet.Tests;

/// <summary>A way to a server that can fall silent, as a network does: nothing arrives any more, and no side is told.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<Socket> _sockets = new();
    private readonly Task _accepting;
    private int _cutsLeft; // Interlocked only: new connections that are cut at their first answer
    private long _answersLeft = long.MaxValue; // in bytes; Interlocked only
    private CancellationTokenSource _frozen = new(); // one for the connections of now; replaced by the test

    public Relay(string host, int port)
    {
        _listener.Start();
        _accepting = AcceptAsync(host, port);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The connections of now fall silent; later ones work.</summary>
    public void FreezeConnections()
    {
        var frozen = _frozen;
        _frozen = new CancellationTokenSource();
        frozen.Cancel();
    }

    /// <summary>What the server sends from now on gets lost, until <see cref="HangUp"/>. What is sent to it arrives.</summary>
    /// <param name="after">So many bytes of it arrive still, about.</param>
    public void LoseAnswers(long after = 0) => Interlocked.Exchange(ref _answersLeft, after);

    /// <summary>That many new connections end, for both sides, when the server answers for the first time.</summary>
    public void CutNext(int connections) => Interlocked.Exchange(ref _cutsLeft, connections);

    /// <summary>Every connection of now ends, for both sides. Later ones work.</summary>
    public void HangUp()
    {
        Interlocked.Exchange(ref _answersLeft, long.MaxValue); // First, because some callers connect again at once.
        for (var left = _sockets.Count; left > 0 && _sockets.TryDequeue(out var socket); left--)
        {
            socket.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        foreach (var socket in _sockets)
        {
            socket.Dispose();
        }

        _listener.Dispose();
        _frozen.Dispose();
    }

    private async Task AcceptAsync(string host, int port)
    {
        try
        {
            while (true)
            {
                await JoinAsync(await _listener.AcceptSocketAsync(), host, port);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task JoinAsync(Socket client, string host, int port)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _sockets.Enqueue(client);
        _sockets.Enqueue(server);
        try
        {
            await server.ConnectAsync(host, port);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            client.Dispose(); // Hung up meanwhile, or the server is down. Later connections are joined all the same.
            server.Dispose();
            return;
        }

        var isCut = Interlocked.Decrement(ref _cutsLeft) >= 0;
        _ = PumpAsync(client, server, isAnswer: false, _frozen.Token);
        _ = isCut ? CutAsync(server, client) : PumpAsync(server, client, isAnswer: true, _frozen.Token);
    }

    private static async Task CutAsync(Socket server, Socket client)
    {
        await server.ReceiveAsync(new byte[1]);
        client.Close(0); // With a reset.
        server.Dispose();
    }

    private async Task PumpAsync(Socket from, Socket to, bool isAnswer, CancellationToken frozen)
    {
        var buffer = new byte[8192];
        try
        {
            while (await from.ReceiveAsync(buffer, frozen) is > 0 and var count)
            {
                if (!isAnswer || Interlocked.Add(ref _answersLeft, -count) >= 0)
                {
                    await to.SendAsync(buffer.AsMemory(0, count), frozen);
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Frozen, or one side is gone.
        }
    }
}
