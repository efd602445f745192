using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

public sealed class QueryTests(QueryTests.Seeded seeded) : IClassFixture<QueryTests.Seeded>
{
    private static readonly Func<Shop, string, Task<Customer>> ByName =
        EF.CompileAsyncQuery((Shop shop, string name) => shop.Customers.Single(customer => customer.Name == name));

    private readonly TestDatabase _database = seeded.Database;

    [Fact]
    public async Task TrackedQuery_GivesOneObjectPerKey_AndHoldsNothingAfterwards()
    {
        await using var shop = _database.CreateShop("tracked");
        var first = await shop.Customers.SingleAsync(customer => customer.Name == "Ada");
        var second = await shop.Customers.SingleAsync(customer => customer.Name == "Ada");
        Assert.Same(first, second);
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task UntrackedQuery_GivesNewObjects()
    {
        await using var shop = _database.CreateShop("untracked");
        var first = await shop.Customers.AsNoTracking().SingleAsync(customer => customer.Name == "Ada");
        var second = await shop.Customers.AsNoTracking().SingleAsync(customer => customer.Name == "Ada");
        Assert.NotSame(first, second);
        Assert.Empty(shop.ChangeTracker.Entries());
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public void SynchronousQuery_HoldsNothingAfterwards()
    {
        using var shop = _database.CreateShop("synchronous");
        Assert.Equal(["Ada", "Bob"], shop.Customers.OrderBy(customer => customer.Name).Select(customer => customer.Name).ToList());
        Assert.Equal(2, shop.Customers.Count());
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task CompiledQuery_RunsThroughThePoolOfEachContext()
    {
        await using var first = _database.CreateShop("compiled 1");
        await using var second = _database.CreateShop("compiled 2");
        Assert.Equal("Ada", (await ByName(first, "Ada")).Name);
        Assert.Equal("Bob", (await ByName(second, "Bob")).Name);
        Assert.NotSame(first.Database.GetTransactionPool(), second.Database.GetTransactionPool());
        PoolAssert.NothingLeased(first);
        PoolAssert.NothingLeased(second);
    }

    [Fact]
    public async Task SplitQuery_RunsOnOneServerConnection()
    {
        await using var shop = _database.CreateShop("split");
        var customers = await shop.Customers.Include(customer => customer.Orders).AsSplitQuery().OrderBy(customer => customer.Name).ToListAsync();
        Assert.Equal([3, 1], customers.Select(customer => customer.Orders.Count));
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task Streaming_HoldsOneServerConnectionUntilTheEndOfTheRows()
    {
        await using var shop = _database.CreateShop("streaming");
        var pool = shop.Database.GetTransactionPool();
        var rows = 0;
        await foreach (var order in shop.Orders.AsNoTracking().AsAsyncEnumerable())
        {
            Assert.Equal(1, pool.GetSnapshot().InUse);
            Assert.True(order.Total > 0);
            rows++;
        }

        Assert.Equal(4, rows);
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task RawSql_WithAndWithoutComposition_AndForScalars_Works()
    {
        await using var shop = _database.CreateShop("raw");
        var name = "Ada";
        var customer = await shop.Customers.FromSql($"SELECT *, xmin FROM \"Customers\" WHERE \"Name\" = {name}").Include(found => found.Orders).SingleAsync();
        Assert.Equal(3, customer.Orders.Count);
        var parameter = new NpgsqlParameter("least", 15m);
        Assert.Equal(2, await shop.Orders.FromSqlRaw("SELECT * FROM \"Orders\" WHERE \"Total\" > @least", parameter).CountAsync());
        Assert.Equal(60m, await shop.Database.SqlQuery<decimal>($"SELECT sum(\"Total\") AS \"Value\" FROM \"Orders\" WHERE \"CustomerId\" = {customer.Id}").SingleAsync());
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task KeylessEntity_IsReadFromItsView()
    {
        await using var shop = _database.CreateShop("keyless");
        var totals = await shop.CustomerTotals.OrderBy(total => total.Name).ToListAsync();
        Assert.Equal([("Ada", 60m), ("Bob", 5m)], totals.Select(total => (total.Name, total.Total)));
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task LazyLoading_GoesThroughThePool()
    {
        await using var shop = _database.CreateShop("lazy");
        var granted = shop.Database.GetTransactionPool().GetSnapshot().LeasesGranted;
        var customer = await shop.Customers.SingleAsync(found => found.Name == "Ada");
        Assert.Equal(3, customer.Orders.Count);
        Assert.True(shop.Database.GetTransactionPool().GetSnapshot().LeasesGranted >= granted + 2);
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task QueriesOutsideATransaction_UseOneServerConnection_WhenTheyRunOneAfterTheOther()
    {
        await using var shop = _database.CreateShop("one backend", pool: options => (options.MaxPoolSize, options.Shuffle) = (10, false));
        var pids = new HashSet<int>();
        for (var i = 0; i < 20; i++)
        {
            pids.Add(await shop.GetBackendPidAsync());
        }

        Assert.Single(pids);
        Assert.Equal("one backend", await shop.GetApplicationNameAsync());
        Assert.Equal(1, await _database.CountBackendsAsync("one backend"));
    }

    [Fact]
    public async Task FiftyContextsAtOnce_AreServedByTwoServerConnections()
    {
        var options = _database.Options("fifty", pool: options => options.MaxPoolSize = 2);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            await using var shop = new Shop(options);
            await shop.Database.OpenConnectionAsync();
            Assert.Equal(4, await shop.Orders.CountAsync());
            Assert.Equal(2, await shop.Customers.CountAsync());
        }));
        Assert.InRange(await _database.CountBackendsAsync("fifty"), 1, 2);
    }

    /// <summary>The database with two customers and their orders.</summary>
    public sealed class Seeded : IAsyncLifetime
    {
        public TestDatabase Database { get; } = new();

        public async ValueTask InitializeAsync()
        {
            await Database.InitializeAsync();
            await using var shop = Database.CreateShop("seed");
            shop.Add(new Customer { Name = "Ada", Orders = [new Order { Total = 10 }, new Order { Total = 20 }, new Order { Total = 30 }] });
            shop.Add(new Customer { Name = "Bob", Orders = [new Order { Total = 5 }] });
            await shop.SaveChangesAsync();
        }

        public ValueTask DisposeAsync() => Database.DisposeAsync();
    }
}
