using System.Net;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class ReportsTests(SharedServer server)
{
    [Fact]
    public async Task Sales_AddsUpWhatWasOrdered()
    {
        await using var app = await server.StartAppAsync();
        (await app.OrderAsync(1, (3, 2))).Is(HttpStatusCode.Created);
        (await app.OrderAsync(1, (3, 1), (7, 1))).Is(HttpStatusCode.Created);

        var report = (await app.GetAsync("/reports/sales?thinkMilliseconds=0")).Is(HttpStatusCode.OK);

        var best = report.GetProperty("products")[0];
        Assert.Equal((3, 3, 267m), (best.GetProperty("productId").GetInt32(), best.GetProperty("pieces").GetInt32(), best.GetProperty("revenue").GetDecimal()));
        var customer = report.GetProperty("customers")[0];
        Assert.Equal((1, 2, 279m), (customer.GetProperty("customerId").GetInt32(), customer.GetProperty("orders").GetInt32(), customer.GetProperty("total").GetDecimal()));
    }

    [Fact]
    public async Task ManyReportsThatThink_LeaveTheOnlyServerConnectionToOthers()
    {
        await using var app = await server.StartAppAsync(("Pooling:MaxPoolSize", "1"));

        var reports = Enumerable.Range(0, 20).Select(_ => app.GetAsync("/reports/sales")).ToArray();
        await app.Time.WaitForTimersAsync(20);
        var others = new[] { await app.GetAsync("/orders"), await app.GetAsync("/customers"), await app.OrderAsync(1, (1, 1)) };
        var pool = await app.GetAsync("/pool");
        app.Time.Advance(TimeSpan.FromSeconds(2)); // as long as a report thinks

        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.Created], others.Select(answer => answer.Status));
        Assert.Equal((0, 1), (pool["inUse"].GetInt32(), pool["serverConnections"].GetInt32()));
        Assert.All(await Task.WhenAll(reports), answer => answer.Is(HttpStatusCode.OK));
    }

    [Fact]
    public async Task AClientThatGoesAway_EndsItsReport()
    {
        await using var app = await server.StartAppAsync(("Pooling:MaxPoolSize", "1"));
        using var client = new CancellationTokenSource();
        var ended = app.Logs.WaitForAsync("GET /reports/sales answered 499");

        var report = app.Client.GetAsync("/reports/sales", client.Token);
        await app.Time.WaitForTimersAsync(1);
        await client.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => report);
        await ended;
        Assert.Equal(0, app.Pool.GetSnapshot().InUse);
    }
}
