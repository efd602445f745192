using EfPooling.Testing;
using Npgsql;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class LoadTests(SharedServer server)
{
    [Fact]
    public async Task TwoHundredMixedRequestsAtOnce_OnFiveServerConnections_AllSucceed()
    {
        // The server itself refuses a sixth connection of this role, which would show as an error.
        var connectionString = await server.CreateLimitedDatabaseAsync(connectionLimit: 5);
        var database = new NpgsqlConnectionStringBuilder(connectionString).Database;
        await using var app = OrdersApp.Start(connectionString, ("Pooling:MaxPoolSize", "5"), ("Pooling:Shuffle", "false"));
        (await app.OrderAsync(1, (1, 1))).Is(System.Net.HttpStatusCode.Created);
        // The migration's own connection ends a moment after it was closed.
        await server.Postgres.WaitForActivityAsync(backends => backends.Count(InDatabase) <= 1, TimeSpan.MaxValue);

        var most = 0;
        var requests = Task.WhenAll(Enumerable.Range(0, 200).Select(i => SendAsync(app, i)));
        var watching = server.Postgres.WaitForActivityAsync(
            backends =>
            {
                most = Math.Max(most, backends.Count(InDatabase));
                return requests.IsCompleted;
            },
            TimeSpan.MaxValue);
        await app.Time.WaitForTimersAsync(25); // 25 reports hold an open connection at the same time, five times as many as there are server connections.
        app.Time.Advance(TimeSpan.FromSeconds(2)); // as long as a report thinks

        Assert.All(await requests, answer => Assert.True((int)answer.Status is 200 or 201, answer.Text));
        await watching;
        Assert.InRange(most, 1, 5);
        app.Pool.WaitForBatches();
        var pool = app.Pool.GetSnapshot();
        Assert.Equal((0, 0, 0L), (pool.InUse, pool.Waiting, pool.OpenFailures));
        Assert.True(pool.Waits > 0, "Nobody had to wait: the load was too small to show anything.");

        bool InDatabase(EfPooling.Dev.BackendActivity backend) => backend.Database == database;
    }

    private static Task<Answer> SendAsync(OrdersApp app, int i) => (i % 8) switch
    {
        0 => app.GetAsync("/reports/sales"),
        1 => app.GetAsync("/orders"),
        2 => app.GetAsync("/orders/1"),
        3 => app.OrderAsync(1 + (i % 3), (1, 1), (2, 1)),
        4 => app.PostAsync("/orders/1/pay"),
        5 => app.GetAsync("/products?pageSize=5"),
        6 => app.PostAsync("/customers", new { name = "Customer", email = $"customer{i}@example.com" }),
        _ => app.GetAsync("/customers"),
    };
}
