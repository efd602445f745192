using System.Data.Common;
using Dapper;
using EfPooling.AdoNet;
using EfPooling.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

public sealed class DependencyInjectionTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task AddDbContext_SharesOnePoolBetweenScopes()
    {
        await using var provider = new ServiceCollection()
            .AddDbContext<Shop>(options => options.UseNpgsql(database.For("scopes")).UseTransactionPooling(pool => pool.Shuffle = false)).BuildServiceProvider();
        await AssertOneBackendAsync(Enumerable.Range(0, 3).Select(_ => provider.CreateScope().ServiceProvider.GetRequiredService<Shop>()));
    }

    [Fact]
    public async Task AddDbContextPool_ReusesContextsWithTheirConnections()
    {
        await using var provider = new ServiceCollection()
            .AddDbContextPool<Shop>(options => options.UseNpgsql(database.For("context pool")).UseTransactionPooling(pool => pool.Shuffle = false)).BuildServiceProvider();
        DbContext? first = null;
        for (var i = 0; i < 3; i++)
        {
            await using var scope = provider.CreateAsyncScope();
            var shop = scope.ServiceProvider.GetRequiredService<Shop>();
            Assert.Same(first ??= shop, shop);
            await AssertOneBackendAsync([shop]);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DbContextFactory_CreatesContextsThatShareAPool(bool isPooled)
    {
        var services = new ServiceCollection();
        void Configure(DbContextOptionsBuilder options) => options.UseNpgsql(database.For($"factory {isPooled}")).UseTransactionPooling(pool => pool.Shuffle = false);
        _ = isPooled ? services.AddPooledDbContextFactory<Shop>(Configure) : services.AddDbContextFactory<Shop>(Configure);
        await using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<IDbContextFactory<Shop>>();
        await AssertOneBackendAsync([factory.CreateDbContext(), await factory.CreateDbContextAsync()]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AddTransactionPooling_SharesOnePoolBetweenEfAndDapper(bool contextNamesTheConnectionString)
    {
        var connectionString = database.For($"dapper {contextNamesTheConnectionString}");
        var services = new ServiceCollection().AddTransactionPooling(connectionString, options => options.MaxPoolSize = 1);
        services.AddDbContext<Shop>(options => _ = (contextNamesTheConnectionString ? options.UseNpgsql(connectionString) : options.UseNpgsql()).UseTransactionPooling());
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        var pool = provider.GetRequiredService<TransactionPoolingDataSource>();
        var shop = scope.ServiceProvider.GetRequiredService<Shop>();
        Assert.Same(pool, shop.Database.GetTransactionPool());
        Assert.Same(pool, provider.GetRequiredService<DbDataSource>());

        var pid = await shop.GetBackendPidAsync();
        await using var connection = scope.ServiceProvider.GetRequiredService<DbConnection>();
        await connection.OpenAsync();
        Assert.Equal(pid, await connection.ExecuteScalarAsync<int>("SELECT pg_backend_pid()"));
        Assert.Equal(pid, await scope.ServiceProvider.GetRequiredService<LogicalConnection>().ExecuteScalarAsync<int>("SELECT pg_backend_pid()"));
        Assert.Equal(pid, await shop.Database.GetDbConnection().QuerySingleAsync<int>("SELECT pg_backend_pid()"));
        Assert.Equal(1, await database.CountBackendsAsync($"dapper {contextNamesTheConnectionString}"));
        PoolAssert.NothingLeased(pool);
    }

    [Fact]
    public async Task ContextWithOptionsOfItsOwn_GetsAPoolOfItsOwn_AsDocumented()
    {
        var connectionString = database.For("own options");
        await using var provider = new ServiceCollection().AddTransactionPooling(connectionString)
            .AddDbContext<Shop>(options => options.UseNpgsql(connectionString).UseTransactionPooling(pool => pool.MaxPoolSize = 3)).BuildServiceProvider();
        using var scope = provider.CreateScope();
        var pool = scope.ServiceProvider.GetRequiredService<Shop>().Database.GetTransactionPool();
        Assert.NotSame(provider.GetRequiredService<TransactionPoolingDataSource>(), pool);
        Assert.Equal(3, pool.GetSnapshot().MaxPoolSize);
    }

    [Fact]
    public async Task SetConnectionStringToTheRegisteredOne_UsesTheRegisteredPool()
    {
        await using var provider = new ServiceCollection().AddTransactionPooling(database.For("registered"))
            .AddDbContext<Shop>(options => options.UseNpgsql(database.For("not registered")).UseTransactionPooling()).BuildServiceProvider();
        using var scope = provider.CreateScope();
        var shop = scope.ServiceProvider.GetRequiredService<Shop>();
        Assert.Equal("not registered", await shop.GetApplicationNameAsync());
        shop.Database.SetConnectionString(database.For("registered"));
        Assert.Equal("registered", await shop.GetApplicationNameAsync());
        Assert.Same(provider.GetRequiredService<TransactionPoolingDataSource>(), ((LogicalConnection)shop.Database.GetDbConnection()).Pool);
    }

    [Fact]
    public async Task Options_AreBoundFromConfiguration_AndCodeWins()
    {
        var section = Section(("MaxPoolSize", "7"), ("ServerLifetime", "00:30:00"), ("PoolMode", "Session"), ("Name", "bound"));
        await using var provider = new ServiceCollection()
            .AddTransactionPooling(database.For("bound") + ";Maximum Pool Size=3", section, options => options.Name += " and named")
            .BuildServiceProvider();
        var pool = provider.GetRequiredService<TransactionPoolingDataSource>();
        Assert.Equal("bound and named", pool.Name);
        Assert.Equal(7, pool.GetSnapshot().MaxPoolSize);
        await using var connection = await pool.OpenConnectionAsync();
        Assert.Equal(1, pool.GetSnapshot().InUse); // Session mode.
    }

    [Theory]
    [InlineData("MaxPolSize", "7")]
    [InlineData("MaxPoolSize", "seven")]
    [InlineData("QueryWaitTimeout", "10")] // Days, if it were taken.
    public async Task MistakeInTheConfiguration_IsRefused(string key, string value)
    {
        await using var provider = new ServiceCollection().AddTransactionPooling(database.For("mistake"), Section((key, value))).BuildServiceProvider();
        Assert.Contains(key, Assert.Throws<InvalidPoolOptionsException>(() => provider.GetRequiredService<TransactionPoolingDataSource>()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SecondRegistration_IsRefused_BecauseItWouldBeIgnored()
    {
        var services = new ServiceCollection().AddTransactionPooling(database.For("registration 1"));
        var error = Assert.Throws<InvalidOperationException>(() => services.AddTransactionPooling(database.For("registration 2")));
        Assert.Contains("AddTransactionPooling", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SectionOfSomethingElse_IsRefusedInAMessageThatCanBeRead()
    {
        var section = Section([.. Enumerable.Range(0, 100).Select(i => ($"Key{i}", "value"))]);
        await using var provider = new ServiceCollection().AddTransactionPooling(database.For("something else"), section).BuildServiceProvider();
        var error = Assert.Throws<InvalidPoolOptionsException>(() => provider.GetRequiredService<TransactionPoolingDataSource>());
        Assert.Contains("Pool:Key0", error.Message, StringComparison.Ordinal);
        Assert.Contains("and 95 more; the options are CallSiteSampling,", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("value", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PoolUnderAKey_IsNoRegistration()
    {
        await using var keyed = TransactionPoolingDataSource.Create(database.For("under a key"));
        await using var provider = new ServiceCollection().AddKeyedSingleton("key", keyed)
            .AddTransactionPooling(database.For("beside the key")).BuildServiceProvider();
        Assert.NotSame(keyed, provider.GetRequiredService<TransactionPoolingDataSource>());
    }

    [Fact]
    public async Task PoolOnTheNpgsqlDataSourceOfTheServices_ServesContextsToo()
    {
        await using var provider = new ServiceCollection()
            .AddSingleton(_ => NpgsqlDataSource.Create(database.For("both") + ";Pooling=false"))
            .AddTransactionPooling(services => new TransactionPoolingDataSourceBuilder(services.GetRequiredService<NpgsqlDataSource>()))
            .AddDbContext<Shop>(options => options.UseNpgsql().UseTransactionPooling()).BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        var shop = scope.ServiceProvider.GetRequiredService<Shop>();
        Assert.Same(provider.GetRequiredService<TransactionPoolingDataSource>(), shop.Database.GetTransactionPool());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AddNpgsqlDataSourceBesideThePool_ChangesNothing_WhateverTheOrder(bool isFirst)
    {
        var connectionString = database.For($"beside npgsql {isFirst}");
        var services = new ServiceCollection();
        _ = isFirst ? services.AddNpgsqlDataSource(connectionString).AddTransactionPooling(connectionString) : services.AddTransactionPooling(connectionString).AddNpgsqlDataSource(connectionString);
        await using var provider = services.AddDbContext<Shop>(options => options.UseNpgsql().UseTransactionPooling()).BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        var pool = provider.GetRequiredService<TransactionPoolingDataSource>();
        Assert.Same(pool, scope.ServiceProvider.GetRequiredService<Shop>().Database.GetTransactionPool());
        Assert.Same(pool, provider.GetRequiredService<DbDataSource>());
        Assert.Same(pool, Assert.IsAssignableFrom<LogicalConnection>(scope.ServiceProvider.GetRequiredService<DbConnection>()).Pool);
        Assert.NotNull(provider.GetRequiredService<NpgsqlDataSource>());
    }

    [Fact]
    public async Task NpgsqlDataSourceToAnotherDatabase_IsWhatItsContextsUse()
    {
        var other = new NpgsqlConnectionStringBuilder(database.For("elsewhere")) { Database = "postgres" }.ConnectionString;
        await using var provider = new ServiceCollection().AddTransactionPooling(database.For("here")).AddNpgsqlDataSource(other)
            .AddDbContext<Shop>(options => options.UseNpgsql().UseTransactionPooling()).BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        Assert.Equal("elsewhere", await scope.ServiceProvider.GetRequiredService<Shop>().GetApplicationNameAsync());
    }

    private static IConfigurationSection Section(params (string Key, string Value)[] settings)
        => new ConfigurationBuilder().AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create($"Pool:{setting.Key}", (string?)setting.Value))).Build().GetSection("Pool");

    private static async Task AssertOneBackendAsync(IEnumerable<Shop> contexts)
    {
        var pids = new HashSet<int>();
        var pools = new HashSet<TransactionPoolingDataSource>();
        foreach (var shop in contexts)
        {
            pids.Add(await shop.GetBackendPidAsync());
            pools.Add(shop.Database.GetTransactionPool());
            await shop.DisposeAsync();
        }

        Assert.Single(pids);
        PoolAssert.NothingLeased(Assert.Single(pools));
    }
}
