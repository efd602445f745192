using System.Net;
using EfPooling.Dev;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class UnavailableDatabaseTests(SharedServer server)
{
    [Fact]
    public async Task ABusyPool_IsServiceUnavailable_AndRecovers()
    {
        await using var app = await server.StartAppAsync(("Pooling:MaxPoolSize", "1"), ("Pooling:QueryWaitTimeout", "00:00:02"));
        Http.Tenant.Current = OrdersApp.Tenant;
        await using (var holder = await app.Pool.OpenConnectionAsync())
        await using (await holder.LeaseSessionAsync("a test"))
        {
            var efCore = app.GetAsync("/orders");
            var dapper = app.GetAsync("/customers");
            var order = app.OrderAsync(1, (1, 1));
            AssertUnavailable(await efCore, "/orders");
            AssertUnavailable(await dapper, "/customers");
            AssertUnavailable(await order, "/orders");
        }

        (await app.GetAsync("/orders")).Is(HttpStatusCode.OK);
    }

    [Fact]
    public async Task AServerThatIsDown_IsServiceUnavailable()
    {
        await using var postgres = await DevPostgres.StartAsync();
        await using var app = OrdersApp.Start(postgres.ConnectionString);
        (await app.GetAsync("/orders")).Is(HttpStatusCode.OK);

        await postgres.StopAsync();

        AssertUnavailable(await app.GetAsync("/orders"), "/orders");
        AssertUnavailable(await app.GetAsync("/customers"), "/customers");
    }

    private static void AssertUnavailable(Answer answer, string path)
    {
        var problem = answer.IsProblem(HttpStatusCode.ServiceUnavailable, path);
        Assert.Equal("urn:orders-api:database-unavailable", problem.GetProperty("type").GetString());
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter?.Delta);
        Assert.DoesNotContain("SELECT", answer.Text, StringComparison.OrdinalIgnoreCase);
    }
}
