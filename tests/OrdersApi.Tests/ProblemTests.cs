using System.Net;
using System.Text;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class ProblemTests(SharedServer server)
{
    private OrdersApp App => server.App;

    [Theory]
    [InlineData("GET", "/orders/2147483647", "There is no order 2147483647.")]
    [InlineData("POST", "/orders/2147483647/pay", "There is no order 2147483647.")]
    [InlineData("GET", "/products/2147483647", "There is no product 2147483647.")]
    [InlineData("GET", "/customers/2147483647", "There is no customer 2147483647.")]
    public async Task WhatDoesNotExist_IsNotFound(string method, string path, string detail)
    {
        var problem = (await SendAsync(method, path)).IsProblem(HttpStatusCode.NotFound, path);

        Assert.Equal("urn:orders-api:not-found", problem.GetProperty("type").GetString());
        Assert.Equal(detail, problem.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task DeliveryOfAProductThatDoesNotExist_IsNotFound()
        => (await SendAsync("POST", "/products/2147483647/stock", """{"quantity":1}""")).IsProblem(HttpStatusCode.NotFound, "/products/2147483647/stock");

    [Theory]
    [InlineData("GET", "/nothing", HttpStatusCode.NotFound)]
    [InlineData("GET", "/orders/abc", HttpStatusCode.NotFound)]
    [InlineData("DELETE", "/orders", HttpStatusCode.MethodNotAllowed)]
    [InlineData("POST", "/orders", HttpStatusCode.UnsupportedMediaType)]
    public async Task WhatTheApiDoesNotOffer_IsAProblem(string method, string path, HttpStatusCode expected)
        => (await SendAsync(method, path, method == "POST" ? "x" : null, "text/plain")).IsProblem(expected, path);

    [Theory]
    [InlineData("GET", "/orders?page=0", null, "page")]
    [InlineData("GET", "/orders?pageSize=101", null, "pageSize")]
    [InlineData("GET", "/products?page=-1", null, "page")]
    [InlineData("GET", "/customers?pageSize=0", null, "pageSize")]
    [InlineData("GET", "/reports/sales?thinkMilliseconds=60001", null, "thinkMilliseconds")]
    [InlineData("POST", "/products/1/stock", """{"quantity":0}""", "quantity")]
    [InlineData("POST", "/products/1/stock", """{"quantity":10001}""", "quantity")]
    [InlineData("POST", "/customers", """{"name":"","email":"a@example.com"}""", "name")]
    [InlineData("POST", "/customers", """{"name":"A","email":"nowhere"}""", "email")]
    [InlineData("POST", "/orders", """{"customerId":1,"lines":[]}""", "lines")]
    [InlineData("POST", "/orders", """{"customerId":1,"lines":[null]}""", "lines")]
    [InlineData("POST", "/orders", """{"customerId":1,"lines":[{"productId":1,"quantity":1},{"productId":1,"quantity":2}]}""", "lines")]
    [InlineData("POST", "/orders", """{"customerId":1,"lines":[{"productId":1,"quantity":0}]}""", "lines[0].quantity")]
    [InlineData("POST", "/orders", """{"customerId":2147483647,"lines":[{"productId":1,"quantity":1}]}""", "customerId")]
    public async Task BadValues_AreNamedAsInTheRequest(string method, string path, string? body, string member)
    {
        var problem = (await SendAsync(method, path, body)).IsProblem(HttpStatusCode.BadRequest, path.Split('?')[0]);

        var error = Assert.Single(problem.GetProperty("errors").EnumerateObject());
        Assert.Equal(member, error.Name);
        Assert.NotEmpty(error.Value[0].GetString()!);
    }

    [Theory]
    [InlineData("GET", "/orders?status=Nix", null, "status")]
    [InlineData("GET", "/orders?customerId=x", null, "customerId")]
    [InlineData("GET", "/products?page=x", null, "Page")]
    [InlineData("POST", "/orders", "{", "JSON")]
    [InlineData("POST", "/orders", """{"customerId":1}""", "lines")]
    [InlineData("POST", "/orders", """{"customerId":1,"lines":null}""", "$.lines")]
    [InlineData("POST", "/orders", """{"customerId":"1","lines":[]}""", "$.customerId")]
    public async Task WhatCannotBeRead_IsExplained(string method, string path, string? body, string mentioned)
    {
        var problem = (await SendAsync(method, path, body)).IsProblem(HttpStatusCode.BadRequest, path.Split('?')[0]);

        Assert.Contains(mentioned, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private async Task<Answer> SendAsync(string method, string path, string? body = null, string mediaType = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, mediaType);
        return await Answer.ReadAsync(await App.Client.SendAsync(request));
    }
}
