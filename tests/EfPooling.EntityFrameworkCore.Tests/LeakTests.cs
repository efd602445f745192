using Microsoft.Extensions.DependencyInjection;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>Whatever a context was doing when it was disposed, its server connection comes back.</summary>
public sealed class LeakTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ContextDisposedWithAnOpenTransaction_RollsBackAndHoldsNothing(bool isAsync)
    {
        var options = database.Options($"open transaction {isAsync}");
        var shop = new Shop(options);
        await shop.Database.BeginTransactionAsync();
        shop.Add(new Customer { Name = $"open transaction {isAsync}" });
        await shop.SaveChangesAsync();
        await DisposeAsync(shop, isAsync);
        await using var other = new Shop(options);
        PoolAssert.NothingLeased(other);
        Assert.Equal(0, await other.Customers.CountAsync(customer => customer.Name == $"open transaction {isAsync}"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ContextDisposedWithAHalfReadEnumerator_HoldsNothing(bool isAsync)
    {
        var options = database.Options($"half read {isAsync}");
        var shop = new Shop(options);
        var enumerator = shop.Database.SqlQuery<int>($"SELECT generate_series(1, 100000) AS \"Value\"").AsAsyncEnumerable().GetAsyncEnumerator();
        Assert.True(await enumerator.MoveNextAsync());
        Assert.Equal(1, shop.Database.GetTransactionPool().GetSnapshot().InUse);
        await DisposeAsync(shop, isAsync);
        await using var other = new Shop(options);
        PoolAssert.NothingLeased(other);
    }

    [Fact]
    public async Task EnumeratorAbandonedByBreak_HoldsNothing()
    {
        await using var shop = database.CreateShop("break");
        await foreach (var number in shop.Database.SqlQuery<int>($"SELECT generate_series(1, 100000) AS \"Value\"").AsAsyncEnumerable())
        {
            if (number == 3)
            {
                break;
            }
        }

        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task PooledContextGivenBackInTheMiddleOfEverything_HoldsNothingAndServesTheNextOne()
    {
        var services = new ServiceCollection().AddDbContextPool<Shop>(
            options => options.UseNpgsql(database.For("given back")).UseTransactionPooling(pool => pool.MaxPoolSize = 1), poolSize: 1);
        await using var provider = services.BuildServiceProvider();
        for (var i = 0; i < 3; i++)
        {
            await using var scope = provider.CreateAsyncScope();
            var shop = scope.ServiceProvider.GetRequiredService<Shop>();
            await shop.Database.BeginTransactionAsync();
            shop.Add(new Customer { Name = "given back" });
            await shop.SaveChangesAsync();
            var enumerator = shop.Database.SqlQuery<int>($"SELECT generate_series(1, 100000) AS \"Value\"").AsAsyncEnumerable().GetAsyncEnumerator();
            Assert.True(await enumerator.MoveNextAsync());
        }

        await using var last = provider.CreateAsyncScope();
        PoolAssert.NothingLeased(last.ServiceProvider.GetRequiredService<Shop>());
    }

    [Fact]
    public async Task FailedQuery_HoldsNothing()
    {
        await using var shop = database.CreateShop("failed query");
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => shop.Database.SqlQuery<int>($"SELECT 1 / (g - 3) AS \"Value\" FROM generate_series(1, 5) g").ToListAsync());
        PoolAssert.NothingLeased(shop);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => shop.Customers.FromSqlRaw("SELECT nonsense").ToListAsync());
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task CancelledQuery_HoldsNothing()
    {
        await using var shop = database.CreateShop("cancelled query");
        using var cancel = new CancellationTokenSource();
        var query = shop.Database.SqlQueryRaw<int>("SELECT 1 AS \"Value\" FROM pg_sleep(600)").ToListAsync(cancel.Token);
        await Wait.ForStatementAsync(database, "cancelled query", "pg_sleep");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);
        PoolAssert.NothingLeased(shop);
    }

    private static async Task DisposeAsync(Shop shop, bool isAsync)
    {
        if (isAsync)
        {
            await shop.DisposeAsync();
        }
        else
        {
            shop.Dispose();
        }
    }
}
