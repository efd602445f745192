using System.Net;
using Npgsql;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class PoolTests(SharedServer server)
{
    [Fact]
    public async Task Pool_IsTheSnapshot()
    {
        await using var app = await server.StartAppAsync();
        (await app.GetAsync("/orders")).Is(HttpStatusCode.OK);

        var pool = (await app.GetAsync("/pool")).Is(HttpStatusCode.OK);

        var snapshot = app.Pool.GetSnapshot();
        Assert.Equal("Running", pool.GetProperty("phase").GetString());
        Assert.Equal((snapshot.Name, 10, snapshot.Idle), (pool.GetProperty("name").GetString(), pool.GetProperty("maxPoolSize").GetInt32(), pool.GetProperty("idle").GetInt32()));
        Assert.Equal(snapshot.LeasesGranted, pool.GetProperty("leasesGranted").GetInt64());
    }

    [Fact]
    public async Task EfCoreAndDapper_UseTheSamePool()
    {
        await using var app = await server.StartAppAsync(("Pooling:MaxPoolSize", "1"));

        (await app.GetAsync("/products")).Is(HttpStatusCode.OK); // EF Core
        (await app.GetAsync("/customers")).Is(HttpStatusCode.OK); // Dapper
        (await app.OrderAsync(1, (1, 1))).Is(HttpStatusCode.Created); // both
        (await app.GetAsync("/reports/sales?thinkMilliseconds=0")).Is(HttpStatusCode.OK); // a data source

        var database = app.Pool.Database;
        var backends = await server.Postgres.QueryActivityAsync();
        Assert.Single(backends, backend => backend.Database == database);
        Assert.Equal(1, app.Pool.GetSnapshot().Idle);
    }

    [Fact]
    public async Task ThePassword_IsNeitherInThePoolNorInAnyLogLineOfAnyLevel()
    {
        var password = new NpgsqlConnectionStringBuilder(server.Postgres.ConnectionString).Password!;
        await using var app = await server.StartAppAsync(("Pooling:MaxPoolSize", "1"), ("Pooling:QueryWaitTimeout", "00:00:02"));
        var answers = new List<Answer> { await app.GetAsync("/orders"), await app.OrderAsync(1, (1, 1)), await app.OrderAsync(1, (8, 2)) };
        Http.Tenant.Current = OrdersApp.Tenant;
        await using (var holder = await app.Pool.OpenConnectionAsync())
        await using (await holder.LeaseSessionAsync("a test"))
        {
            answers.Add(await app.GetAsync("/orders"));
            answers.Add(await app.GetAsync("/pool"));
        }

        Assert.All(answers, answer => Assert.DoesNotContain(password, answer.Text, StringComparison.Ordinal));
        Assert.NotEmpty(app.Logs.Lines);
        Assert.All(app.Logs.Lines, line => Assert.DoesNotContain(password, line, StringComparison.Ordinal));
    }
}
