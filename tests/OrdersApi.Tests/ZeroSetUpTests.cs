using System.Net;
using System.Net.Sockets;

namespace OrdersApi.Tests;

public sealed class ZeroSetUpTests
{
    [Fact]
    public async Task WithoutAnySetting_TheApiBringsItsServerAndTakesItAway()
    {
        await using var process = await OrdersProcess.StartAsync([], ("EFPOOLING_POSTGRES", ""));
        var products = (await process.GetAsync("/products")).Is(HttpStatusCode.OK);
        var announced = process.Logs.Single(log => log.GetProperty("Message").GetString()!.Contains("throw-away PostgreSQL", StringComparison.Ordinal));

        var exitCode = await process.StopAsync();

        Assert.Equal(8, products.GetProperty("total").GetInt32());
        Assert.Equal(0, exitCode);
        Assert.DoesNotContain(process.Logs, log => log.GetProperty("LogLevel").GetString() is not "Information");
        var state = announced.GetProperty("State");
        using var client = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(state.GetProperty("Host").GetString()!, state.GetProperty("Port").GetInt32()));
    }
}
