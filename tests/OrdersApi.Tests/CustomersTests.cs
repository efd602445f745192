using System.Net;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class CustomersTests(SharedServer server)
{
    private OrdersApp App => server.App;

    [Fact]
    public async Task List_StartsWithTheDemoCustomers()
    {
        var answer = (await App.GetAsync("/customers?pageSize=2")).Is(HttpStatusCode.OK);

        Assert.Equal(["Ada Lovelace", "Grace Hopper"], answer.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()));
    }

    [Fact]
    public async Task Create_AnswersWithTheCustomerAndItsAddress()
    {
        var email = $"{Guid.NewGuid():N}@Example.com";

        var answer = await App.PostAsync("/customers", new { name = " Alan Turing ", email });

        var customer = answer.Is(HttpStatusCode.Created);
        Assert.Equal("Alan Turing", customer.GetProperty("name").GetString());
        Assert.Equal(email.ToLowerInvariant(), customer.GetProperty("email").GetString());
        Assert.Equal($"/customers/{customer.GetProperty("id")}", answer.Headers.Location!.AbsolutePath);
        Assert.Equal(customer.ToString(), (await App.GetAsync(answer.Headers.Location.AbsolutePath)).Is(HttpStatusCode.OK).ToString());
    }

    [Fact]
    public async Task Create_WithAnAddressThatIsTaken_IsAConflict()
    {
        var customer = await App.AddCustomerAsync();

        var answer = await App.PostAsync("/customers", new { name = "Somebody else", email = customer.Email.ToUpperInvariant() });

        var problem = answer.IsProblem(HttpStatusCode.Conflict, "/customers");
        Assert.Equal("urn:orders-api:email-taken", problem.GetProperty("type").GetString());
        Assert.Equal(customer.Email, problem.GetProperty("email").GetString());
    }

    [Fact]
    public async Task Create_WithACharacterThatCannotBeStored_IsABadRequest()
    {
        var answer = await App.PostAsync("/customers", new { name = "a\0b", email = $"{Guid.NewGuid():N}@example.com" });

        Assert.Contains("NUL", answer.IsProblem(HttpStatusCode.BadRequest, "/customers").GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
