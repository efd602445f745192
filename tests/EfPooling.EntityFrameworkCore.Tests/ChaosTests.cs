using System.Collections.Concurrent;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>Many contexts do everything at once while server connections are killed: nothing hangs, leaks, or is told to the wrong caller.</summary>
public sealed class ChaosTests(TestDatabase database, ITestOutputHelper output) : IClassFixture<TestDatabase>
{
    private const string Name = "chaos";
    private const int Kills = 30;

    [Fact]
    public async Task KilledBackends_FailOnlyWhatRanOnThem_AndWhatWasCommittedIsThere()
    {
        var seed = Environment.GetEnvironmentVariable("EFPOOLING_SEED") is { Length: > 0 } given ? int.Parse(given, System.Globalization.CultureInfo.InvariantCulture) : Random.Shared.Next();
        output.WriteLine($"EFPOOLING_SEED={seed}");
        var options = database.Options(Name, pool: pool => pool.MaxPoolSize = 4);
        var (committed, succeeded, failed) = (new ConcurrentBag<string>(), 0, 0);
        using var end = new CancellationTokenSource();

        var workers = Enumerable.Range(0, 12).Select(worker => Task.Run(async () =>
        {
            var random = new Random(seed + worker);
            for (var i = 0; !end.IsCancellationRequested; i++)
            {
                var name = $"{Name} {worker}/{i}";
                try
                {
                    var kind = random.Next(5);
                    await WorkAsync(options, kind, name, random);
                    Interlocked.Increment(ref succeeded);
                    if (kind is 1 or 2)
                    {
                        committed.Add(name);
                    }
                }
                catch (OperationCanceledException)
                {
                }
                catch (Exception e) when (e is not Xunit.Sdk.XunitException)
                {
                    Interlocked.Increment(ref failed);
                }
            }
        })).ToArray();

        await KillAsync(new Random(seed));
        await end.CancelAsync();
        await Task.WhenAll(workers);
        output.WriteLine($"{succeeded} succeeded, {failed} failed, {committed.Count} committed");

        await using var shop = new Shop(options);
        PoolAssert.NothingLeased(shop);
        var names = (await shop.Customers.Select(customer => customer.Name).ToListAsync()).ToHashSet();
        Assert.Empty(committed.Except(names));
        Assert.Empty(await shop.Customers.Where(customer => customer.Orders.Count != 2).Select(customer => customer.Name).ToListAsync());
        Assert.True(failed <= Kills, $"{failed} failed of {Kills} kills");
    }

    private static async Task WorkAsync(DbContextOptions<Shop> options, int kind, string name, Random random)
    {
        await using var shop = new Shop(options);
        switch (kind)
        {
            case 0:
                Assert.Equal(name, await shop.Database.SqlQuery<string>($"SELECT {name} AS \"Value\"").SingleAsync());
                break;
            case 1:
                shop.Add(new Customer { Name = name, Orders = [new Order { Total = 1 }, new Order { Total = 2 }] });
                await shop.SaveChangesAsync();
                break;
            case 2:
                await using (var transaction = await shop.Database.BeginTransactionAsync())
                {
                    var customer = new Customer { Name = name };
                    shop.Add(customer);
                    await shop.SaveChangesAsync();
                    customer.Orders = [new Order { Total = 1 }, new Order { Total = 2 }];
                    await shop.SaveChangesAsync();
                    await transaction.CommitAsync();
                }

                break;
            case 3:
                var expected = 1;
                await foreach (var number in shop.Database.SqlQuery<int>($"SELECT generate_series(1, 5000) AS \"Value\"").AsAsyncEnumerable())
                {
                    Assert.Equal(expected++, number);
                    if (number == 100 && random.Next(2) == 0)
                    {
                        break;
                    }
                }

                break;
            default:
                using (var cancel = new CancellationTokenSource())
                {
                    var query = shop.Database.SqlQueryRaw<int>("SELECT count(*)::int AS \"Value\" FROM generate_series(1, 200000)").ToListAsync(cancel.Token);
                    await cancel.CancelAsync();
                    await query;
                }

                break;
        }
    }

    private async Task KillAsync(Random random)
    {
        for (var killed = 0; killed < Kills;)
        {
            var backends = await database.Server.WaitForActivityAsync(all => all.Any(backend => backend.ApplicationName == Name), TimeSpan.FromSeconds(30));
            var victims = backends.Where(backend => backend.ApplicationName == Name).ToList();
            killed += await database.Server.TerminateBackendAsync(victims[random.Next(victims.Count)].ProcessId) ? 1 : 0;
        }
    }
}
