using System.Net;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class StockConcurrencyTests(SharedServer server)
{
    private OrdersApp App => server.App;

    [Fact]
    public async Task ManyOrdersAtOnce_InOppositeOrders_SellExactlyWhatIsInStock()
    {
        var customer = await App.AddCustomerAsync();
        var a = await App.AddProductAsync(stock: 30);
        var b = await App.AddProductAsync(stock: 60);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => i % 2 == 0
            ? App.OrderAsync(customer.Id, (a.Id, 1), (b.Id, 2))
            : App.OrderAsync(customer.Id, (b.Id, 2), (a.Id, 1))));

        var byStatus = answers.CountBy(answer => answer.Status).ToDictionary();
        Assert.Equal(new Dictionary<HttpStatusCode, int> { [HttpStatusCode.Created] = 30, [HttpStatusCode.Conflict] = 70 }, byStatus);
        Assert.Equal((0, 0), (await StockAsync(a.Id), await StockAsync(b.Id)));
        Assert.Equal(30, (await App.GetAsync($"/orders?customerId={customer.Id}"))["total"].GetInt32());
    }

    [Fact]
    public async Task OrdersOfDifferentSizesAndDeliveriesAtOnce_AddUp()
    {
        var customer = await App.AddCustomerAsync();
        var product = await App.AddProductAsync(stock: 40);

        var delivering = Enumerable.Range(0, 20).Select(_ => App.PostAsync($"/products/{product.Id}/stock", new { quantity = 1 }));
        var ordering = Enumerable.Range(0, 60).Select(async i => (Quantity: 1 + (i % 3), Answer: await App.OrderAsync(customer.Id, (product.Id, 1 + (i % 3)))));
        var deliveries = Task.WhenAll(delivering);
        var orders = await Task.WhenAll(ordering);

        Assert.All(await deliveries, answer => answer.Is(HttpStatusCode.OK));
        Assert.All(orders, order => Assert.Contains(order.Answer.Status, new[] { HttpStatusCode.Created, HttpStatusCode.Conflict }));
        var sold = orders.Where(order => order.Answer.Status == HttpStatusCode.Created).Sum(order => order.Quantity);
        Assert.Equal(40 + 20 - sold, await StockAsync(product.Id));
    }

    private async Task<int> StockAsync(int productId) => (await App.GetAsync($"/products/{productId}"))["stock"].GetInt32();
}
