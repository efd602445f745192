using System.Net;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class DescriptionTests(SharedServer server)
{
    private static readonly string[] Endpoints =
    [
        "GET /", "GET /customers", "GET /customers/{id}", "GET /notifications", "GET /orders", "GET /orders/{id}", "GET /pool", "GET /products", "GET /products/{id}",
        "GET /reports/sales", "POST /customers", "POST /demo/one-context-two-tasks", "POST /orders", "POST /orders/{id}/pay", "POST /products/{id}/stock",
    ];

    private OrdersApp App => server.App;

    [Fact]
    public async Task OpenApiDocument_DescribesEveryEndpoint()
    {
        var paths = (await App.GetAsync("/openapi/v1.json")).Is(HttpStatusCode.OK).GetProperty("paths");

        var operations =
            (from path in paths.EnumerateObject()
             from operation in path.Value.EnumerateObject()
             select (Name: $"{operation.Name.ToUpperInvariant()} {path.Name}", operation.Value)).ToArray();
        Assert.Equal(Endpoints, operations.Select(operation => operation.Name).Order(StringComparer.Ordinal));
        Assert.All(operations, operation => Assert.NotEmpty(operation.Value.GetProperty("summary").GetString()!));
    }

    [Theory]
    [InlineData("/orders", "post", "201", "400", "409")]
    [InlineData("/orders/{id}/pay", "post", "200", "404")]
    [InlineData("/customers", "post", "201", "400", "409")]
    [InlineData("/products", "get", "200", "400")]
    public async Task OpenApiDocument_ListsTheErrors(string path, string method, params string[] statuses)
    {
        var operation = (await App.GetAsync("/openapi/v1.json"))["paths"].GetProperty(path).GetProperty(method);

        Assert.Equal(statuses, operation.GetProperty("responses").EnumerateObject().Select(response => response.Name));
    }

    [Fact]
    public async Task Home_ListsEveryEndpoint()
    {
        var home = (await App.GetAsync("/")).Is(HttpStatusCode.OK);

        var listed = home.EnumerateArray().Select(endpoint => $"{endpoint.GetProperty("method")} {endpoint.GetProperty("path")}".Replace(":int", "", StringComparison.Ordinal));
        Assert.Equal(Endpoints.Append("GET /openapi/v1.json").Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }
}
