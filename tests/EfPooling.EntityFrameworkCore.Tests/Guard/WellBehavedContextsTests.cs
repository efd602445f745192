using Dapper;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>Whoever keeps to one operation per context at a time is never refused.</summary>
public sealed class WellBehavedContextsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task TenThousandUsers_OfTheirOwnContexts_RaiseNoAlarm()
    {
        var options = database.Options("well-behaved", pool: pool => pool.MaxPoolSize = 8);
        var factory = new PooledDbContextFactory<Shop>(options, poolSize: 16);
        await using (var shop = new Shop(options))
        {
            shop.AddRange(Enumerable.Range(0, 20).Select(number => new Customer { Name = $"well-behaved {number}", Orders = [new Order { Total = number }] }));
            await shop.SaveChangesAsync();
        }

        var left = 10_000;
        await Task.WhenAll(Enumerable.Range(0, 48).Select(_ => Task.Run(WorkAsync)));

        await using var last = new Shop(options);
        PoolAssert.NothingLeased(last);

        async Task WorkAsync()
        {
            while (Interlocked.Decrement(ref left) is >= 0 and var user)
            {
                await using var shop = user % 2 == 0 ? await factory.CreateDbContextAsync() : new Shop(options);
                await UseAsync(shop, user);
            }
        }

        async Task UseAsync(Shop shop, int user)
        {
            switch (user % 8)
            {
                case 0:
                    Assert.Equal(20, await shop.Customers.CountAsync());
                    break;
                case 1:
                    Assert.Equal(20, shop.Customers.Include(customer => customer.Orders).AsSplitQuery().ToList().Count);
                    break;
                case 2: // Contexts inside one another.
                    await using (var inner = await factory.CreateDbContextAsync())
                    {
                        Assert.Equal(await inner.Orders.CountAsync(), await shop.Customers.CountAsync());
                    }

                    break;
                case 3: // A stream, and another context while it runs.
                    var seen = 0;
                    await foreach (var customer in shop.Customers.Take(3).AsAsyncEnumerable())
                    {
                        await Task.Yield();
                        seen++;
                    }

                    Assert.Equal(3, seen);
                    break;
                case 4:
                    await using (var transaction = await shop.Database.BeginTransactionAsync())
                    {
                        var order = await shop.Orders.OrderBy(order => order.Id).Skip(user % 20).FirstAsync();
                        order.Total = user;
                        await shop.SaveChangesAsync();
                        await transaction.CommitAsync();
                    }

                    break;
                case 5: // Lazy loading runs a query inside the flow of the context.
                    foreach (var customer in await shop.Customers.Take(2).ToListAsync())
                    {
                        Assert.Single(customer.Orders);
                    }

                    break;
                case 6: // Dapper on the context's connection, between its own operations.
                    Assert.Equal(20, await shop.Customers.CountAsync());
                    Assert.Equal(20, await shop.Database.GetDbConnection().ExecuteScalarAsync<int>("SELECT count(*) FROM \"Customers\""));
                    await shop.Orders.Where(order => order.Id < 0).ExecuteDeleteAsync();
                    break;
                default: // A task of its own, awaited at once.
                    Assert.Equal(20, await Task.Run(() => shop.Customers.CountAsync()));
                    break;
            }
        }
    }
}
