using System.Net;
using System.Net.Sockets;
using EfPooling.Dev.Local;

namespace EfPooling.Dev.Tests;

[Collection(SharedServer.Name)]
public sealed class PortTests(ServerFixture fixture)
{
    [Fact]
    public async Task Start_OnATakenPort_SaysSo_AndAnotherPortWorks()
    {
        using var other = new TcpListener(IPAddress.Loopback, FreePort.Choose());
        other.Start();
        await using var host = await WatchedHost.CreateAsync(
            LocalStart.HostOf(fixture.Server).Binaries,
            UnprivilegedCommand.Resolve().Prefix!,
            new DevPostgresOptions(),
            CancellationToken.None);
        await host.InitializeAsync("secret", CancellationToken.None);

        var exception = await Assert.ThrowsAsync<ServerStartException>(
            () => host.StartAsync(((IPEndPoint)other.LocalEndpoint).Port, CancellationToken.None));
        Assert.True(exception.PortIsTaken, exception.Message);

        await host.StartAsync(FreePort.Choose(), CancellationToken.None);
    }

    [Fact]
    public void Ports_AreBelowThoseOfOutgoingConnections() =>
        Assert.All(Enumerable.Range(0, 100), _ => Assert.InRange(FreePort.Choose(), 20_000, 31_999));
}
