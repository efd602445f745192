using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EfPooling.Benchmarks.Load.Relay;

namespace EfPooling.Benchmarks.Tests;

public sealed class DelayRelayTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(2);

    [Fact]
    public async Task Bytes_ArriveUnchangedAndInOrder_OfManyConnectionsAtOnce()
    {
        await using var relay = RelayToEcho(out var echo);
        using (echo)
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(async seed =>
            {
                using var client = await ConnectAsync(relay.Port);
                var sent = new byte[1_000_000];
                new Random(seed).NextBytes(sent);
                var received = new byte[sent.Length];

                var sending = SendInPiecesAsync(client, sent, new Random(seed));
                await client.GetStream().ReadExactlyAsync(received);
                await sending;

                Assert.Equal(sent, received);
            }));
        }
    }

    [Fact]
    public async Task RoundTrip_TakesAtLeastTwiceTheDelay()
    {
        await using var relay = RelayToEcho(out var echo);
        using (echo)
        {
            using var client = await ConnectAsync(relay.Port);
            for (var i = 0; i < 10; i++)
            {
                var start = Stopwatch.GetTimestamp();
                await client.GetStream().WriteAsync(new byte[] { 1 });
                await client.GetStream().ReadExactlyAsync(new byte[1]);

                Assert.True(Stopwatch.GetElapsedTime(start) >= 2 * Delay);
            }
        }
    }

    [Fact]
    public async Task EndOfOneDirection_IsPassedOn_AfterTheLastByte()
    {
        await using var relay = RelayToEcho(out var echo);
        using (echo)
        {
            using var client = await ConnectAsync(relay.Port);
            var stream = client.GetStream();
            await stream.WriteAsync(new byte[] { 1, 2, 3 });
            client.Client.Shutdown(SocketShutdown.Send);
            using var received = new MemoryStream();

            await stream.CopyToAsync(received);

            Assert.Equal([1, 2, 3], received.ToArray());
        }
    }

    [Fact]
    public async Task NobodyAtTheOtherEnd_ClosesTheConnection()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        await using var relay = new DelayRelay("127.0.0.1", port, Delay);
        using var client = await ConnectAsync(relay.Port);

        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1]));
    }

    private static DelayRelay RelayToEcho(out TcpListener echo)
    {
        echo = new TcpListener(IPAddress.Loopback, 0);
        echo.Start();
        _ = EchoAsync(echo);
        return new DelayRelay("127.0.0.1", ((IPEndPoint)echo.LocalEndpoint).Port, Delay);
    }

    private static async Task EchoAsync(TcpListener listener)
    {
        while (true)
        {
            try
            {
                _ = EchoOneAsync(await listener.AcceptTcpClientAsync());
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return; // the test has ended
            }
        }
    }

    private static async Task EchoOneAsync(TcpClient client)
    {
        using (client)
        {
            await client.GetStream().CopyToAsync(client.GetStream());
        }
    }

    private static async Task<TcpClient> ConnectAsync(int port)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        return client;
    }

    private static async Task SendInPiecesAsync(TcpClient client, ReadOnlyMemory<byte> bytes, Random random)
    {
        while (!bytes.IsEmpty)
        {
            var length = Math.Min(bytes.Length, random.Next(1, 40_000));
            await client.GetStream().WriteAsync(bytes[..length]);
            bytes = bytes[length..];
        }
    }
}
