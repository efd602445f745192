using System.Net;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class ProductsTests(SharedServer server)
{
    private OrdersApp App => server.App;

    [Fact]
    public async Task List_GivesTheWantedPageInOrder()
    {
        var first = (await App.GetAsync("/products?pageSize=3")).Is(HttpStatusCode.OK);
        var second = (await App.GetAsync("/products?page=2&pageSize=3")).Is(HttpStatusCode.OK);

        Assert.Equal([1, 2, 3], first.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetInt32()));
        Assert.Equal([4, 5, 6], second.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("id").GetInt32()));
        Assert.Equal((2, 3), (second.GetProperty("page").GetInt32(), second.GetProperty("pageSize").GetInt32()));
        Assert.True(second.GetProperty("total").GetInt32() >= 8);
    }

    [Fact]
    public async Task List_BehindTheLastPage_IsEmpty()
        => Assert.Empty((await App.GetAsync("/products?page=1000000&pageSize=100")).Is(HttpStatusCode.OK).GetProperty("items").EnumerateArray());

    [Fact]
    public async Task Get_GivesTheProduct()
    {
        var product = await App.AddProductAsync(stock: 7, price: 12.34m);

        var answer = (await App.GetAsync($"/products/{product.Id}")).Is(HttpStatusCode.OK);

        Assert.Equal(product.Sku, answer.GetProperty("sku").GetString());
        Assert.Equal((7, 12.34m), (answer.GetProperty("stock").GetInt32(), answer.GetProperty("price").GetDecimal()));
    }

    [Fact]
    public async Task Delivery_AddsToTheStock()
    {
        var product = await App.AddProductAsync(stock: 7);

        var answer = (await App.PostAsync($"/products/{product.Id}/stock", new { quantity = 5 })).Is(HttpStatusCode.OK);

        Assert.Equal(12, answer.GetProperty("stock").GetInt32());
    }
}
