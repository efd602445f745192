using EfPooling.Dev;

namespace EfPooling.EntityFrameworkCore.Tests;

public sealed class FaultTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task BackendKilledInTheMiddleOfAQuery_SucceedsOnRetry()
    {
        await using var shop = database.CreateShop("retry", builder => builder.UseNpgsql(npgsql => npgsql.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(10), null)));
        await database.ScalarAsync("CREATE SEQUENCE first_try; SELECT 1");
        // Sleeps on the first try only.
        var query = shop.Database.SqlQueryRaw<int>("SELECT pg_backend_pid() AS \"Value\" FROM (SELECT CASE WHEN nextval('first_try') = 1 THEN pg_sleep(600) END) AS slow").ToListAsync();
        var killed = await Wait.ForStatementAsync(database, "retry", "pg_sleep");
        await database.Server.TerminateBackendAsync(killed);
        Assert.NotEqual(killed, Assert.Single(await query));
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task BackendKilledInATransaction_SucceedsWhenTheStrategyRunsItAgain()
    {
        await using var shop = database.CreateShop("strategy", builder => builder.UseNpgsql(npgsql => npgsql.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(10), null)));
        var tries = 0;
        await shop.Database.CreateExecutionStrategy().ExecuteAsync(async () =>
        {
            await using var transaction = await shop.Database.BeginTransactionAsync();
            shop.ChangeTracker.Clear();
            shop.Add(new Customer { Name = "strategy" });
            await shop.SaveChangesAsync();
            if (tries++ == 0)
            {
                await database.Server.TerminateBackendAsync(await shop.GetBackendPidAsync());
            }

            await shop.Database.ExecuteSqlAsync($"SELECT 1");
            await transaction.CommitAsync();
        });
        Assert.Equal(2, tries);
        Assert.Equal(1, await shop.Customers.CountAsync(customer => customer.Name == "strategy"));
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task EnableRetryOnFailure_WorksForQueriesSavesAndSynchronousCalls()
    {
        await using var shop = database.CreateShop("retrying", builder => builder.UseNpgsql(npgsql => npgsql.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(10), null)));
        shop.Add(new Customer { Name = "retrying", Orders = [new Order()] });
        await shop.SaveChangesAsync();
        Assert.Single(shop.Customers.Where(customer => customer.Name == "retrying").Include(customer => customer.Orders).AsSplitQuery().ToList());
        Assert.True(await shop.Database.CanConnectAsync());
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task ServerRestartedBetweenRequests_LeavesThePoolWhole()
    {
        await using var server = await DevPostgres.StartAsync();
        await using var pool = AdoNet.TransactionPoolingDataSource.Create(server.ConnectionString, options => options.MaxPoolSize = 2);
        var options = new DbContextOptionsBuilder<Shop>()
            .UseNpgsql(pool, npgsql => npgsql.EnableRetryOnFailure(10, TimeSpan.FromMilliseconds(50), null)).UseTransactionPooling().Options;
        await using (var shop = new Shop(options))
        {
            await shop.Database.EnsureCreatedAsync();
            shop.Add(new Customer { Name = "before" });
            await shop.SaveChangesAsync();
        }

        await server.RestartAsync();
        await using (var shop = new Shop(options))
        {
            Assert.Equal("before", await shop.Customers.Select(customer => customer.Name).SingleAsync());
            shop.Add(new Customer { Name = "after" });
            await shop.SaveChangesAsync();
            PoolAssert.NothingLeased(shop);
        }

        await server.StopAsync();
        await using (var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(pool).UseTransactionPooling().Options))
        {
            await Assert.ThrowsAnyAsync<Exception>(() => shop.Customers.CountAsync());
            Assert.Equal(0, pool.GetSnapshot().InUse);
            Assert.False(await shop.Database.CanConnectAsync());
            await server.StartAgainAsync();
        }

        await using (var shop = new Shop(options))
        {
            Assert.Equal(2, await shop.Customers.CountAsync());
            PoolAssert.NothingLeased(shop);
        }
    }
}
