namespace EfPooling.AdoNet.Tests;

/// <summary>The name of a pool stands in logs and metrics, so it tells nothing that is secret.</summary>
public sealed class PoolNameTests
{
    [Theory]
    [InlineData("Host=server;Username=alice;Password=secret", "server")]
    [InlineData("Host=server;Username=alice;Password=secret;Database=orders", "orders@server")]
    [InlineData("Host=one,two;Username=alice", "one,two")]
    public async Task DefaultName_ContainsNoUser(string connectionString, string name)
    {
        await using var pool = TransactionPoolingDataSource.Create(connectionString);
        Assert.Equal((name, name), (pool.Name, pool.GetSnapshot().Name));
    }

    [Theory]
    [InlineData("shop", "shop")]
    [InlineData(" ", "server")]
    public async Task NameOfTheOptions_WinsUnlessItIsBlank(string given, string name)
    {
        await using var pool = TransactionPoolingDataSource.Create("Host=server;Username=alice", options => options.Name = given);
        Assert.Equal(name, pool.Name);
    }
}
