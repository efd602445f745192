using System.Net;
using EfPooling.Dev;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class NotificationsTests(SharedServer server)
{
    [Fact]
    public async Task Stream_BeginsWithAGap_ThenTellsOfOrdersPlacedAndPaid_AndOfNothingThatWasRefused()
    {
        await using var app = await server.StartAppAsync();
        await using var events = await EventStream.OpenAsync(app.Client);

        (await app.OrderAsync(1, (8, 2))).IsProblem(HttpStatusCode.Conflict, "/orders");
        var first = await OrderAsync(app);
        await app.PostAsync($"/orders/{first}/pay");
        await app.PostAsync($"/orders/{first}/pay");
        var second = await OrderAsync(app);

        Assert.Equal(("order", $$"""{"orderId":{{first}},"status":"Pending"}"""), await events.NextAsync());
        Assert.Equal(("order", $$"""{"orderId":{{first}},"status":"Paid"}"""), await events.NextAsync());
        Assert.Equal(("order", $$"""{"orderId":{{second}},"status":"Pending"}"""), await events.NextAsync());
    }

    [Fact]
    public async Task ManyStreams_HaveOneBackend_WhichGoesWithTheLastClient()
    {
        await using var app = await server.StartAppAsync(("Pooling:MaxPoolSize", "1"));
        var streams = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => EventStream.OpenAsync(app.Client)));
        var order = await OrderAsync(app);

        foreach (var stream in streams)
        {
            Assert.Equal(("order", $$"""{"orderId":{{order}},"status":"Pending"}"""), await stream.NextAsync());
        }

        Assert.Equal(2, (await server.Postgres.QueryActivityAsync()).Count(backend => backend.Database == app.Pool.Database));
        foreach (var stream in streams)
        {
            await stream.DisposeAsync();
        }

        await server.Postgres.WaitForActivityAsync(all => all.Count(backend => backend.Database == app.Pool.Database) == 1, TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task ABreak_IsAnotherGap_AndTheStreamGoesOn()
    {
        await using var app = await server.StartAppAsync();
        await using var events = await EventStream.OpenAsync(app.Client);
        var listener = (await server.Postgres.QueryActivityAsync())
            .Single(backend => backend.Database == app.Pool.Database && backend.Query.StartsWith("LISTEN", StringComparison.Ordinal));

        await server.Postgres.TerminateBackendAsync(listener.ProcessId);

        Assert.Equal(("gap", "{}"), await events.NextAsync());
        var order = await OrderAsync(app);
        Assert.Equal(("order", $$"""{"orderId":{{order}},"status":"Pending"}"""), await events.NextAsync());
    }

    [Fact]
    public async Task AServerThatIsDown_IsServiceUnavailable()
    {
        await using var postgres = await DevPostgres.StartAsync();
        await using var app = OrdersApp.Start(postgres.ConnectionString);
        await postgres.StopAsync();

        (await app.GetAsync("/notifications")).IsProblem(HttpStatusCode.ServiceUnavailable, "/notifications");
    }

    [Fact]
    public async Task AnApiThatStops_EndsItsStreams()
    {
        await using var process = await OrdersProcess.StartAsync(["--ConnectionStrings:Orders", await server.Postgres.CreateDatabaseAsync()]);
        await using var events = await EventStream.OpenAsync(process.Client);

        var stopping = process.StopAsync();

        Assert.Null(await events.NextAsync());
        Assert.Equal(0, await stopping);
        Assert.DoesNotContain(process.Logs, log => log.GetProperty("LogLevel").GetString() is not "Information");
    }

    [Theory]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", "text/html")]
    [InlineData("application/json", "application/json")]
    [InlineData("*/*", "application/json")]
    public async Task Home_IsAPageForABrowser_AndJsonForOthers(string accept, string expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await server.App.Client.SendAsync(request);

        Assert.Equal(expected, response.Content.Headers.ContentType?.MediaType);
        Assert.Contains("/notifications", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("Accept", Assert.Single(response.Headers.Vary));
    }

    private static async Task<int> OrderAsync(OrdersApp app) => (await app.OrderAsync(1, (1, 1))).Is(HttpStatusCode.Created).GetProperty("id").GetInt32();
}
