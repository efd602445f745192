using System.Net;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class OrdersTests(SharedServer server)
{
    private OrdersApp App => server.App;

    [Fact]
    public async Task Create_TakesTheStockAndKeepsThePriceOfTheMoment()
    {
        var customer = await App.AddCustomerAsync();
        var cheap = await App.AddProductAsync(stock: 10, price: 1.25m);
        var dear = await App.AddProductAsync(stock: 10, price: 99.99m);

        var answer = await App.OrderAsync(customer.Id, (dear.Id, 2), (cheap.Id, 4));

        var order = answer.Is(HttpStatusCode.Created);
        Assert.Equal(204.98m, order.GetProperty("total").GetDecimal());
        Assert.Equal("Pending", order.GetProperty("status").GetString());
        Assert.Equal(
            [(cheap.Id, 4, 1.25m), (dear.Id, 2, 99.99m)],
            order.GetProperty("lines").EnumerateArray().Select(line =>
                (line.GetProperty("productId").GetInt32(), line.GetProperty("quantity").GetInt32(), line.GetProperty("unitPrice").GetDecimal())));
        Assert.Equal((6, 8), (await StockAsync(cheap.Id), await StockAsync(dear.Id)));
        Assert.Equal(order.ToString(), (await App.GetAsync(answer.Headers.Location!.AbsolutePath)).Is(HttpStatusCode.OK).ToString());
    }

    [Fact]
    public async Task Create_WithTooLittleInStock_ChangesNothingAndNamesEveryShortage()
    {
        var customer = await App.AddCustomerAsync();
        var plenty = await App.AddProductAsync(stock: 10);
        var scarce = await App.AddProductAsync(stock: 1);
        var none = await App.AddProductAsync(stock: 0);

        var answer = await App.OrderAsync(customer.Id, (none.Id, 1), (plenty.Id, 1), (scarce.Id, 2));

        var problem = answer.IsProblem(HttpStatusCode.Conflict, "/orders");
        Assert.Equal("urn:orders-api:out-of-stock", problem.GetProperty("type").GetString());
        Assert.Equal(
            [(scarce.Id, 2, 1), (none.Id, 1, 0)],
            problem.GetProperty("shortages").EnumerateArray().Select(shortage =>
                (shortage.GetProperty("productId").GetInt32(), shortage.GetProperty("requested").GetInt32(), shortage.GetProperty("available").GetInt32())));
        Assert.Equal(10, await StockAsync(plenty.Id));
        Assert.Equal(0, (await App.GetAsync($"/orders?customerId={customer.Id}"))["total"].GetInt32());
    }

    [Fact]
    public async Task Create_WithAProductThatDoesNotExist_ChangesNothing()
    {
        var customer = await App.AddCustomerAsync();
        var product = await App.AddProductAsync(stock: 10);

        var answer = await App.OrderAsync(customer.Id, (product.Id, 1), (int.MaxValue, 1));

        var problem = answer.IsProblem(HttpStatusCode.BadRequest, "/orders");
        Assert.Equal($"There is no product {int.MaxValue}.", problem.GetProperty("errors").GetProperty("lines")[0].GetString());
        Assert.Equal(10, await StockAsync(product.Id));
    }

    [Fact]
    public async Task List_FiltersAndStartsWithTheNewest()
    {
        var customer = await App.AddCustomerAsync();
        var product = await App.AddProductAsync(stock: 10);
        var paid = await CreateAsync(customer.Id, product.Id);
        var second = await CreateAsync(customer.Id, product.Id);
        var third = await CreateAsync(customer.Id, product.Id);
        await App.PostAsync($"/orders/{paid}/pay");

        Assert.Equal([third, second, paid], await ListAsync($"/orders?customerId={customer.Id}"));
        Assert.Equal([third, second], await ListAsync($"/orders?customerId={customer.Id}&status=Pending"));
        Assert.Equal([paid], await ListAsync($"/orders?customerId={customer.Id}&status=Paid"));
        Assert.Equal([second], await ListAsync($"/orders?customerId={customer.Id}&pageSize=1&page=2"));
    }

    [Fact]
    public async Task Pay_MarksTheOrderAsPaid()
    {
        var order = await CreateAsync((await App.AddCustomerAsync()).Id, (await App.AddProductAsync(stock: 1)).Id);

        var answer = (await App.PostAsync($"/orders/{order}/pay")).Is(HttpStatusCode.OK);

        Assert.Equal("Paid", answer.GetProperty("status").GetString());
        Assert.True(answer.GetProperty("paidAt").GetDateTimeOffset() > answer.GetProperty("createdAt").GetDateTimeOffset());
    }

    [Fact]
    public async Task Pay_ManyTimesAtOnce_PaysOnce()
    {
        var order = await CreateAsync((await App.AddCustomerAsync()).Id, (await App.AddProductAsync(stock: 1)).Id);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => App.PostAsync($"/orders/{order}/pay")));

        Assert.Single(answers.Select(answer => answer.Is(HttpStatusCode.OK).GetProperty("paidAt").GetDateTimeOffset()).Distinct());
        Assert.Single(App.Logs.Lines, line => line.Contains($"Order {order} paid.", StringComparison.Ordinal));
    }

    private async Task<int> CreateAsync(int customerId, int productId)
        => (await App.OrderAsync(customerId, (productId, 1))).Is(HttpStatusCode.Created).GetProperty("id").GetInt32();

    private async Task<int> StockAsync(int productId) => (await App.GetAsync($"/products/{productId}"))["stock"].GetInt32();

    private async Task<IEnumerable<int>> ListAsync(string path)
        => (await App.GetAsync(path)).Is(HttpStatusCode.OK).GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetInt32());
}
