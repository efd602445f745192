using System.Net;
using System.Net.Http.Json;
using Npgsql;

namespace OrdersApi.Tests;

/// <summary>Each tenant has customers and orders of its own; no code asks whose they are, the database's policies do.</summary>
[Collection(SharedServerTests.Name)]
public sealed class TenantTests(SharedServer server)
{
    private static readonly string[] Tenants = ["tea-house", "coffee-bar", "new-one"];

    [Fact]
    public async Task DemoCustomers_AreTheirTenants()
    {
        await using var app = await server.StartAppAsync();

        Assert.Equal(["Ada Lovelace", "Grace Hopper", "Edgar Codd"], await NamesAsync(app, "tea-house"));
        Assert.Equal(["Grace Hopper", "Barbara Liskov"], await NamesAsync(app, "coffee-bar"));
        Assert.Empty(await NamesAsync(app, "new-one"));
    }

    [Fact]
    public async Task ATenant_NeverSeesWhatIsAnothers()
    {
        await using var app = await server.StartAppAsync(("Pooling:MaxPoolSize", "1"));
        var (tea, coffee) = (app.CreateClientOf("tea-house"), app.CreateClientOf("coffee-bar"));
        var ofTea = (await PostAsync(tea, "/orders", Order(customerId: 1))).Is(HttpStatusCode.Created).GetProperty("id").GetInt32();
        var ofCoffee = (await PostAsync(coffee, "/orders", Order(customerId: 4))).Is(HttpStatusCode.Created).GetProperty("id").GetInt32();

        Assert.Equal([ofTea], await OrdersAsync(tea));
        Assert.Equal([ofCoffee], await OrdersAsync(coffee));
        (await GetAsync(coffee, $"/orders/{ofTea}")).IsProblem(HttpStatusCode.NotFound, $"/orders/{ofTea}");
        (await PostAsync(coffee, $"/orders/{ofTea}/pay")).IsProblem(HttpStatusCode.NotFound, $"/orders/{ofTea}/pay");
        (await GetAsync(coffee, "/customers/1")).IsProblem(HttpStatusCode.NotFound, "/customers/1");
        (await PostAsync(coffee, "/orders", Order(customerId: 1))).IsProblem(HttpStatusCode.BadRequest, "/orders");
        Assert.Equal("Pending", (await GetAsync(tea, $"/orders/{ofTea}"))["status"].GetString());

        foreach (var (client, customers) in new[] { (tea, new[] { 1, 3, 2 }), (coffee, [4, 5]) })
        {
            var report = (await GetAsync(client, "/reports/sales?thinkMilliseconds=0")).Is(HttpStatusCode.OK);
            Assert.Equal(customers.Order(), report.GetProperty("customers").EnumerateArray().Select(customer => customer.GetProperty("customerId").GetInt32()).Order());
            Assert.Equal(1, report.GetProperty("products").EnumerateArray().Sum(product => product.GetProperty("pieces").GetInt64()));
        }
    }

    [Fact]
    public async Task AnAddress_IsTakenForItsTenantOnly()
    {
        var customer = new { name = "Alan Turing", email = $"{Guid.NewGuid():N}@example.com" };
        foreach (var tenant in Tenants)
        {
            using var client = server.App.CreateClientOf(tenant);
            (await PostAsync(client, "/customers", customer)).Is(HttpStatusCode.Created);
            (await PostAsync(client, "/customers", customer)).IsProblem(HttpStatusCode.Conflict, "/customers");
        }
    }

    [Theory]
    [InlineData("GET", "/orders")] // EF Core
    [InlineData("GET", "/customers")] // Dapper
    [InlineData("POST", "/orders")]
    [InlineData("POST", "/orders/1/pay")]
    [InlineData("GET", "/products")]
    [InlineData("GET", "/reports/sales")]
    [InlineData("GET", "/notifications")]
    public async Task WithoutATenant_TheAnswerAsksForIt(string method, string path)
    {
        using var client = server.App.CreateClient();
        using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "POST" ? JsonContent.Create(Order(customerId: 1)) : null };

        var problem = (await Answer.ReadAsync(await client.SendAsync(request))).IsProblem(HttpStatusCode.BadRequest, path);

        Assert.Equal("urn:orders-api:tenant", problem.GetProperty("type").GetString());
        Assert.Contains("X-Tenant", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Tea House")]
    [InlineData("'; DROP TABLE orders; --")]
    [InlineData("-")]
    [InlineData("abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz")]
    public async Task WhatIsNoTenant_IsABadRequest(string name)
    {
        using var client = server.App.CreateClientOf(name);

        var problem = (await GetAsync(client, "/orders")).IsProblem(HttpStatusCode.BadRequest, "/orders");

        Assert.Equal("urn:orders-api:tenant", problem.GetProperty("type").GetString());
    }

    [Fact]
    public async Task WhatNeedsNoDatabase_NeedsNoTenant()
    {
        using var client = server.App.CreateClient();
        foreach (var path in new[] { "/", "/pool", "/openapi/v1.json" })
        {
            (await GetAsync(client, path)).Is(HttpStatusCode.OK);
        }
    }

    [Fact]
    public async Task Events_AreTheTenantsOwn_AndABrowserNamesItInTheAddress()
    {
        await using var app = await server.StartAppAsync();
        using var browser = app.CreateClient();
        await using var events = await EventStream.OpenAsync(browser, "/notifications?tenant=coffee-bar");

        (await PostAsync(app.Client, "/orders", Order(customerId: 1))).Is(HttpStatusCode.Created);
        var ofCoffee = (await PostAsync(app.CreateClientOf("coffee-bar"), "/orders", Order(customerId: 4))).Is(HttpStatusCode.Created).GetProperty("id").GetInt32();

        Assert.Equal(("order", $$"""{"orderId":{{ofCoffee}},"status":"Pending"}"""), await events.NextAsync());
    }

    [Fact]
    public async Task ALoginRoleThatOwnsNothing_ServesRequests_WhileTheOwnerMigrates()
    {
        var owner = await server.Postgres.CreateDatabaseAsync();
        var login = new NpgsqlConnectionStringBuilder(owner) { Username = $"login_{Guid.NewGuid():N}", Password = "secret" };
        await using (var connection = new NpgsqlConnection($"{owner};Pooling=false"))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // The name is made above, and cannot be a parameter.
            command.CommandText = $"CREATE ROLE {login.Username} LOGIN PASSWORD 'secret' IN ROLE orders_app";
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync();
        }

        await using var app = OrdersApp.Start(login.ConnectionString, ("ConnectionStrings:OrdersOwner", owner));

        (await app.OrderAsync(1, (1, 1))).Is(HttpStatusCode.Created);
        Assert.Equal(["Grace Hopper", "Barbara Liskov"], await NamesAsync(app, "coffee-bar"));
    }

    [Fact]
    public async Task TwoHundredMixedRequestsOfThreeTenantsAtOnce_OnFiveServerConnections_StayApart()
    {
        await using var app = await server.StartAppAsync(("Pooling:MaxPoolSize", "5"), ("Pooling:Shuffle", "false")); // Which opens more, one after the other.
        var clients = Tenants.Select(app.CreateClientOf).ToArray();
        var newOnes = (await PostAsync(clients[2], "/customers", new { name = "Somebody", email = "somebody@example.com" }))["id"].GetInt32();
        int[][] customers = [[1, 2, 3], [4, 5], [newOnes]];

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            var tenant = i % 3;
            var customer = customers[tenant][i % customers[tenant].Length];
            return (Tenant: tenant, Kind: i % 4, Answer: await ((i % 4) switch
            {
                0 => PostAsync(clients[tenant], "/orders", Order(customer)),
                1 => GetAsync(clients[tenant], "/orders?pageSize=100"),
                2 => GetAsync(clients[tenant], "/customers"),
                _ => GetAsync(clients[tenant], "/reports/sales?thinkMilliseconds=0"),
            }));
        }));

        foreach (var (tenant, kind, answer) in answers)
        {
            Assert.All(CustomersIn(kind, answer), customer => Assert.Contains(customer, customers[tenant]));
        }

        for (var tenant = 0; tenant < 3; tenant++)
        {
            var placed = answers.Where(each => each.Tenant == tenant && each.Kind == 0).Select(each => each.Answer["id"].GetInt32());
            Assert.Equal(placed.Order(), (await OrdersAsync(clients[tenant])).Order());
        }

        Assert.InRange(app.Pool.GetSnapshot().Opened, 1, 5);
        Assert.Equal(0, app.Pool.GetSnapshot().InUse);
    }

    private static IEnumerable<int> CustomersIn(int kind, Answer answer) => kind switch
    {
        0 => [answer.Is(HttpStatusCode.Created).GetProperty("customerId").GetInt32()],
        1 => answer.Is(HttpStatusCode.OK).GetProperty("items").EnumerateArray().Select(order => order.GetProperty("customerId").GetInt32()),
        2 => answer.Is(HttpStatusCode.OK).GetProperty("items").EnumerateArray().Select(customer => customer.GetProperty("id").GetInt32()),
        _ => answer.Is(HttpStatusCode.OK).GetProperty("customers").EnumerateArray().Select(customer => customer.GetProperty("customerId").GetInt32()),
    };

    private static object Order(int customerId) => new { customerId, lines = new[] { new { productId = 1, quantity = 1 } } };

    private static async Task<Answer> GetAsync(HttpClient client, string path) => await Answer.ReadAsync(await client.GetAsync(path));

    private static async Task<Answer> PostAsync(HttpClient client, string path, object? body = null)
        => await Answer.ReadAsync(await client.PostAsync(path, body is null ? null : JsonContent.Create(body)));

    private static async Task<IEnumerable<int>> OrdersAsync(HttpClient client)
        => (await GetAsync(client, "/orders?pageSize=100")).Is(HttpStatusCode.OK).GetProperty("items").EnumerateArray().Select(order => order.GetProperty("id").GetInt32());

    private static async Task<IEnumerable<string?>> NamesAsync(OrdersApp app, string tenant)
    {
        using var client = app.CreateClientOf(tenant);
        return (await GetAsync(client, "/customers")).Is(HttpStatusCode.OK).GetProperty("items").EnumerateArray().Select(customer => customer.GetProperty("name").GetString());
    }
}
