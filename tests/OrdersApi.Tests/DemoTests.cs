using System.Net;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class DemoTests(SharedServer server)
{
    [Fact]
    public async Task OneContextUsedFromTwoTasks_IsAConflictThatNamesBothPlaces()
    {
        var problem = (await server.App.PostAsync("/demo/one-context-two-tasks")).IsProblem(HttpStatusCode.Conflict, "/demo/one-context-two-tasks");

        Assert.Equal("urn:orders-api:concurrent-use", problem.GetProperty("type").GetString());
        var (running, refused) = (problem.GetProperty("running").GetString()!, problem.GetProperty("refused").GetString()!);
        Assert.Contains("Demo.cs:", running, StringComparison.Ordinal);
        Assert.Contains("Demo.cs:", refused, StringComparison.Ordinal);
        Assert.NotEqual(LineOf(running), LineOf(refused));
        Assert.Contains("await the first operation", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, server.App.Pool.GetSnapshot().InUse);
    }

    private static string LineOf(string operation) => new([.. operation[(operation.IndexOf("Demo.cs:", StringComparison.Ordinal) + 8)..].TakeWhile(char.IsAsciiDigit)]);
}
