using EfPooling.AdoNet;
using EfPooling.Core;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>Which contexts share a pool.</summary>
public sealed class PoolSharingTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task AThousandOptionObjectsWithTheSameSettings_ShareOnePoolAndOneInternalServiceProvider()
    {
        var (pools, providers) = (new HashSet<TransactionPoolingDataSource>(), new HashSet<object>());
        for (var i = 0; i < 1000; i++)
        {
            var size = 3 + (i * 0); // A closure of its own for each.
            await using var shop = new Shop(new DbContextOptionsBuilder<Shop>()
                .UseNpgsql(database.For("thousand"))
                .UseTransactionPooling(options => (options.MaxPoolSize, options.Shuffle) = (size, false))
                .ConfigureWarnings(warnings => warnings.Throw(CoreEventId.ManyServiceProvidersCreatedWarning)).Options);
            pools.Add(shop.Database.GetTransactionPool());
            providers.Add(shop.GetService<IRelationalTypeMappingSource>());
            if (i % 100 == 0)
            {
                await shop.GetBackendPidAsync();
            }
        }

        Assert.Single(pools);
        Assert.Single(providers);
        Assert.Equal(3, pools.Single().GetSnapshot().MaxPoolSize);
        Assert.Equal(1, await database.CountBackendsAsync("thousand"));
    }

    [Fact]
    public async Task SecondUseTransactionPooling_AddsToTheFirst()
    {
        await using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(database.For("twice"))
            .UseTransactionPooling(options => (options.MaxPoolSize, options.Name) = (3, "first")).UseTransactionPooling(options => options.Name += " and second")
            .UseTransactionPooling().Options);
        var snapshot = shop.Database.GetTransactionPool().GetSnapshot();
        Assert.Equal((3, "first and second"), (snapshot.MaxPoolSize, snapshot.Name));
    }

    [Fact]
    public async Task ContextsOfDifferentTypes_ShareThePoolOfTheirDatabase()
    {
        await using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(database.For("types")).UseTransactionPooling(pool => pool.Shuffle = false).Options);
        await using var other = new Other(new DbContextOptionsBuilder<Other>().UseNpgsql(database.For("types")).UseTransactionPooling(pool => pool.Shuffle = false).Options);
        Assert.Same(shop.Database.GetTransactionPool(), other.Database.GetTransactionPool());
        Assert.Equal(await shop.GetBackendPidAsync(), await other.GetBackendPidAsync());
    }

    [Fact]
    public void ConnectionStringsThatSayTheSameInAnotherOrder_ShareAPool()
    {
        var keywords = new NpgsqlConnectionStringBuilder(database.For("order"));
        var reversed = string.Join(';', keywords.Reverse().Select(pair => $"{pair.Key.ToUpperInvariant()} = '{pair.Value}'"));
        Assert.NotEqual(keywords.ConnectionString, reversed);
        Assert.Same(PoolOf(keywords.ConnectionString), PoolOf(reversed));
    }

    [Fact]
    public void DifferentDatabasesUsersOrOptions_GetPoolsOfTheirOwn()
    {
        var connectionString = database.For("different");
        TransactionPoolingDataSource[] pools =
        [
            PoolOf(connectionString),
            PoolOf(connectionString, options => options.MaxPoolSize = 7),
            PoolOf(connectionString, options => options.PoolMode = PoolMode.Session),
            PoolOf(new NpgsqlConnectionStringBuilder(connectionString) { Username = "somebody" }.ConnectionString),
            PoolOf(new NpgsqlConnectionStringBuilder(connectionString) { Database = "elsewhere" }.ConnectionString),
            PoolOf(new NpgsqlConnectionStringBuilder(connectionString) { Password = "another" }.ConnectionString),
        ];
        Assert.Equal(pools.Length, pools.Distinct().Count());
        Assert.Equal(7, pools[1].GetSnapshot().MaxPoolSize);
    }

    [Fact]
    public void KeywordAndOption_ThatSayTheSame_ShareAPool_AndTheOptionWins()
    {
        var keyword = new NpgsqlConnectionStringBuilder(database.For("keyword")) { MaxPoolSize = 9 }.ConnectionString;
        Assert.Equal(9, PoolOf(keyword).GetSnapshot().MaxPoolSize);
        Assert.Equal(5, PoolOf(keyword, options => options.MaxPoolSize = 5).GetSnapshot().MaxPoolSize);
        Assert.Same(PoolOf(keyword), PoolOf(keyword, options => options.MaxPoolSize = 9));
    }

    [Fact]
    public void BadOptions_AreRefused_AndSoIsWhatContradictsPooling()
    {
        Assert.Throws<InvalidPoolOptionsException>(() => PoolOf(database.For("bad"), options => options.MaxPoolSize = 0));
        Assert.Contains("Pooling=false", Assert.Throws<InvalidPoolOptionsException>(() => PoolOf(database.For("bad") + ";Pooling=false")).Message, StringComparison.Ordinal);
        Assert.Contains("Multiplexing", Assert.Throws<InvalidPoolOptionsException>(() => PoolOf(database.For("bad") + ";Multiplexing=true")).Message, StringComparison.Ordinal);
        Assert.Equal(20, PoolOf(database.For("bad")).GetSnapshot().MaxPoolSize);
    }

    [Fact]
    public async Task PoolThatSomebodyClosed_IsReplaced()
    {
        await using var first = database.CreateShop("closed");
        var pool = first.Database.GetTransactionPool();
        await first.GetBackendPidAsync();
        await pool.CloseAsync(TimeSpan.FromSeconds(5));
        await using var second = database.CreateShop("closed");
        Assert.NotSame(pool, second.Database.GetTransactionPool());
        await second.GetBackendPidAsync();
    }

    [Fact]
    public async Task UseTransactionPoolingTwice_TheLastOneCounts_AndTheInterceptorRunsOnce()
    {
        var options = new DbContextOptionsBuilder<Shop>().UseNpgsql(database.For("twice"))
            .UseTransactionPooling(options => options.MaxPoolSize = 3)
            .UseTransactionPooling(options => options.MaxPoolSize = 4).Options;
        await using var shop = new Shop(options);
        Assert.Equal(4, shop.Database.GetTransactionPool().GetSnapshot().MaxPoolSize);
        Assert.Single(options.FindExtension<CoreOptionsExtension>()!.Interceptors!);
        shop.Add(new Customer { Name = "twice" });
        await shop.SaveChangesAsync();
    }

    [Fact]
    public async Task ConcurrentFirstUse_CreatesOnePool()
    {
        var pools = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => PoolOf(database.For("first use")))));
        Assert.Single(pools.Distinct());
    }

    private static TransactionPoolingDataSource PoolOf(string connectionString, Action<TransactionPoolingOptions>? configure = null)
    {
        using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(connectionString).UseTransactionPooling(configure).Options);
        return shop.Database.GetTransactionPool();
    }

    private sealed class Other(DbContextOptions<Other> options) : DbContext(options);
}
