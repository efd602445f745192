using EfPooling.AdoNet;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>Reads of many contexts share round trips, without any change in their code.</summary>
public sealed class ReadBatchTests(QueryTests.Seeded seeded) : IClassFixture<QueryTests.Seeded>
{
    private const int Contexts = 20;

    private static readonly Func<Shop, string, Task<Customer>> ByName =
        EF.CompileAsyncQuery((Shop shop, string name) => shop.Customers.Single(customer => customer.Name == name));

    [Fact]
    public Task CompiledQueries_OfManyContexts_ShareRoundTrips()
        => ShareAsync("compiled read batch", async (shop, name) => (await ByName(shop, name)).Name);

    [Fact]
    public Task LinqQueries_OfManyContexts_ShareRoundTrips()
        => ShareAsync("linq read batch", async (shop, name) => (await shop.Customers.Where(customer => customer.Name == name).Include(customer => customer.Orders).ToListAsync())
            .Single(customer => customer.Orders.Count == (name == "Ada" ? 3 : 1)).Name);

    private async Task ShareAsync(string applicationName, Func<Shop, string, Task<string>> read)
    {
        var options = seeded.Database.Options(applicationName, pool: pool => (pool.Shuffle, pool.Multiplexing, pool.SchemaCheckInterval) = (false, MultiplexingMode.Auto, Timeout.InfiniteTimeSpan));
        await using var holder = new Shop(options);
        var pool = holder.Database.GetTransactionPool();
        var rows = holder.Customers.AsNoTracking().AsAsyncEnumerable().GetAsyncEnumerator();
        Assert.True(await rows.MoveNextAsync()); // Holds the only server connection.
        var reads = Enumerable.Range(0, Contexts).Select(async i =>
        {
            var name = i % 2 == 0 ? "Ada" : "Bob";
            await using var shop = new Shop(options);
            Assert.Equal(name, await read(shop, name));
        }).ToArray();
        await rows.DisposeAsync();
        await Task.WhenAll(reads);
        Assert.Equal(Contexts, pool.GetMultiplexingStatistics().BatchedReads);
        PoolAssert.NothingLeased(pool);
    }
}
