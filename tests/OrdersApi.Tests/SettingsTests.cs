using System.Net;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class SettingsTests(SharedServer server)
{
    [Fact]
    public async Task MaxPoolSize_IsTenByDefault() => Assert.Equal(10, await MaxPoolSizeAsync([]));

    [Fact]
    public async Task MaxPoolSize_CanBeAnArgument() => Assert.Equal(5, await MaxPoolSizeAsync(["Pooling:MaxPoolSize=5"]));

    [Fact]
    public async Task MaxPoolSize_CanBeInTheEnvironment() => Assert.Equal(5, await MaxPoolSizeAsync([], ("Pooling__MaxPoolSize", "5")));

    [Fact]
    public async Task AnArgument_WinsOverTheEnvironment()
        => Assert.Equal(4, await MaxPoolSizeAsync(["Pooling:MaxPoolSize=4"], ("Pooling__MaxPoolSize", "5")));

    [Theory]
    [InlineData("Pooling:MaxPoolSize=0", "MaxPoolSize is 0")]
    [InlineData("Pooling:MaxPoolSizes=5", "MaxPoolSizes")]
    public async Task AWrongSetting_EndsTheStartAndIsNamed(string argument, string mentioned)
    {
        var connectionString = await server.Postgres.CreateDatabaseAsync();

        var (exitCode, errors) = await OrdersProcess.RunAsync([argument], ("ConnectionStrings__Orders", connectionString));

        Assert.NotEqual(0, exitCode);
        Assert.Contains(mentioned, errors, StringComparison.Ordinal);
    }

    private async Task<int> MaxPoolSizeAsync(string[] arguments, params (string, string)[] environment)
    {
        var connectionString = await server.Postgres.CreateDatabaseAsync();
        await using var process = await OrdersProcess.StartAsync(arguments, [("ConnectionStrings__Orders", connectionString), .. environment]);
        return (await process.GetAsync("/pool")).Is(HttpStatusCode.OK).GetProperty("maxPoolSize").GetInt32();
    }
}
