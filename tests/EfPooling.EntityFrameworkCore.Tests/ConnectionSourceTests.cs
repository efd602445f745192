using System.Data.Common;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>Whatever <c>UseNpgsql</c> is given, the context works through a pool to it.</summary>
public sealed class ConnectionSourceTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task ConnectionString_BeforeOrAfterUseTransactionPooling_IsTheSame()
    {
        var connectionString = database.For("order of calls");
        await using var before = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(connectionString).UseTransactionPooling(pool => pool.Shuffle = false).Options);
        await using var after = new Shop(new DbContextOptionsBuilder<Shop>().UseTransactionPooling(pool => pool.Shuffle = false).UseNpgsql(connectionString).Options);
        await AssertIsPooledAsync(before, "order of calls");
        await AssertIsPooledAsync(after, "order of calls");
        Assert.Same(before.Database.GetTransactionPool(), after.Database.GetTransactionPool());
        Assert.Equal(1, await database.CountBackendsAsync("order of calls"));
    }

    [Fact]
    public async Task NpgsqlDataSource_OpensTheServerConnections()
    {
        await using var dataSource = NpgsqlDataSource.Create(database.For("data source"));
        var options = new DbContextOptionsBuilder<Shop>().UseNpgsql(dataSource).UseTransactionPooling(pool => pool.Shuffle = false).Options;
        await using var shop = new Shop(options);
        await AssertIsPooledAsync(shop, "data source");
        await using var other = new Shop(options);
        Assert.Same(shop.Database.GetTransactionPool(), other.Database.GetTransactionPool());
        Assert.Equal(1, await database.CountBackendsAsync("data source"));
    }

    [Fact]
    public async Task NpgsqlDataSourceFromDependencyInjection_IsFound()
    {
        var dataSource = NpgsqlDataSource.Create(database.For("data source of services"));
        var services = new ServiceCollection().AddSingleton(dataSource).AddDbContext<Shop>(options => options.UseNpgsql().UseTransactionPooling());
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        await AssertIsPooledAsync(scope.ServiceProvider.GetRequiredService<Shop>(), "data source of services");
    }

    // The connection string comes later, as with Npgsql: from SetConnectionString, or from an interceptor when the connection is opened.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task NoConnectionString_GivesAConnectionThatIsToldLater(bool isPooled)
    {
        var name = $"told later {isPooled}";
        await using (var shop = new Shop(On(new DbContextOptionsBuilder<Shop>(), isPooled).Options))
        {
            Assert.Equal("", shop.Database.GetDbConnection().ConnectionString);
            await Assert.ThrowsAsync<InvalidOperationException>(() => shop.Database.OpenConnectionAsync());
            shop.Database.SetConnectionString(database.For(name));
            Assert.Equal(name, await shop.GetApplicationNameAsync());
        }

        await using var other = new Shop(On(new DbContextOptionsBuilder<Shop>(), isPooled).AddInterceptors(new Teller(database.For(name))).Options);
        Assert.Equal(name, await other.GetApplicationNameAsync());
        Assert.Equal(isPooled, other.Database.GetDbConnection() is LogicalConnection);
    }

    private static DbContextOptionsBuilder<Shop> On(DbContextOptionsBuilder<Shop> builder, bool isPooled)
        => isPooled ? builder.UseNpgsql().UseTransactionPooling() : builder.UseNpgsql();

    private sealed class Teller(string connectionString) : DbConnectionInterceptor
    {
        public override ValueTask<InterceptionResult> ConnectionOpeningAsync(
            DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
        {
            connection.ConnectionString = connectionString;
            return new(result);
        }
    }

    // Each integration test makes its services anew.
    [Fact]
    public async Task ServicesThatAreDisposed_TakeThePoolsOfTheirDataSourcesAlong()
    {
        for (var i = 0; i < 10; i++)
        {
            var services = new ServiceCollection().AddSingleton(_ => NpgsqlDataSource.Create(database.For("one after another")))
                .AddDbContext<Shop>(options => options.UseNpgsql().UseTransactionPooling(pool => pool.Shuffle = false));
            await using var provider = services.BuildServiceProvider();
            await using var scope = provider.CreateAsyncScope();
            var shop = scope.ServiceProvider.GetRequiredService<Shop>();
            await shop.GetBackendPidAsync();
            Assert.True(await database.CountBackendsAsync("one after another") <= 2, "The pool of the last data source is closed when the next one comes.");
            if (i == 9)
            {
                await provider.GetRequiredService<NpgsqlDataSource>().DisposeAsync();
                using var late = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>()).UseTransactionPooling().Options);
                Assert.Throws<ObjectDisposedException>(() => late.Customers.Count());
            }
        }

        await Wait.ForBackendsAsync(database, "one after another", 0);
    }

    [Fact]
    public async Task DbDataSourceFromDependencyInjection_OfEitherKind_Works()
    {
        await using var npgsql = NpgsqlDataSource.Create(database.For("db data source"));
        await using var pool = TransactionPoolingDataSource.Create(database.For("db data source"));
        foreach (System.Data.Common.DbDataSource dataSource in new System.Data.Common.DbDataSource[] { npgsql, pool })
        {
            var services = new ServiceCollection().AddSingleton(dataSource).AddDbContext<Shop>((provider, options)
                => options.UseNpgsql(provider.GetRequiredService<System.Data.Common.DbDataSource>()).UseTransactionPooling());
            await using var provider = services.BuildServiceProvider();
            await using var scope = provider.CreateAsyncScope();
            await AssertIsPooledAsync(scope.ServiceProvider.GetRequiredService<Shop>(), "db data source");
        }
    }

    [Fact]
    public async Task TransactionPoolingDataSource_IsTheContextsPool()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("pool"));
        await using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(pool).UseTransactionPooling().Options);
        await AssertIsPooledAsync(shop, "pool");
        Assert.Same(pool, shop.Database.GetTransactionPool());
        shop.Add(new Customer { Name = "pool" });
        Assert.Equal(1, await shop.SaveChangesAsync());
    }

    [Fact]
    public async Task OwnLogicalConnection_BelongsToTheContextsPool()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("own connection"));
        await using var connection = pool.CreateConnection();
        await using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(connection).UseTransactionPooling().Options);
        await AssertIsPooledAsync(shop, "own connection");
        Assert.Same(pool, shop.Database.GetTransactionPool());
        Assert.Same(connection, shop.Database.GetDbConnection());
        shop.Add(new Customer { Name = "own connection" });
        Assert.Equal(1, await shop.SaveChangesAsync());
    }

    [Fact]
    public void OwnNpgsqlConnection_IsRefused_BecauseNothingWouldBePooled()
    {
        using var connection = new NpgsqlConnection(database.ConnectionString);
        using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(connection).UseTransactionPooling().Options);
        var error = Assert.Throws<InvalidOperationException>(() => shop.Customers.ToList());
        Assert.Contains("NpgsqlConnection", error.Message, StringComparison.Ordinal);
        Assert.Contains("UseTransactionPooling", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NamedConnectionString_IsLookedUpInTheConfiguration()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([KeyValuePair.Create("ConnectionStrings:Shop", (string?)database.For("named"))]).Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration)
            .AddDbContext<Shop>(options => options.UseNpgsql("Name=Shop").UseTransactionPooling());
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        await AssertIsPooledAsync(scope.ServiceProvider.GetRequiredService<Shop>(), "named");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SetConnectionString_MovesTheContextToThePoolOfThatString(bool whenTheConnectionExists)
    {
        var (from, to) = (database.For($"from {whenTheConnectionExists}"), database.For($"to {whenTheConnectionExists}"));
        await using var target = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(to).UseTransactionPooling().Options);
        await using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(from).UseTransactionPooling().Options);
        if (whenTheConnectionExists)
        {
            await AssertIsPooledAsync(shop, $"from {whenTheConnectionExists}");
        }

        shop.Database.SetConnectionString(to);
        await AssertIsPooledAsync(shop, $"to {whenTheConnectionExists}");
        Assert.Same(target.Database.GetTransactionPool(), shop.Database.GetTransactionPool());
        Assert.Same(target.Database.GetTransactionPool(), ((LogicalConnection)shop.Database.GetDbConnection()).Pool);
    }

    [Fact]
    public async Task SetConnectionString_OnAContextWithoutOne_Works()
    {
        await using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql().UseTransactionPooling().Options);
        Assert.Contains("nothing to connect to", Assert.Throws<InvalidOperationException>(() => shop.Customers.ToList()).Message, StringComparison.Ordinal);
        shop.Database.SetConnectionString(database.For("set later"));
        await AssertIsPooledAsync(shop, "set later");
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task SetDbDataSource_OfNpgsqls_MovesTheContextToItsDatabase(bool isPooled, bool mapsAnEnum)
    {
        await using var elsewhere = NpgsqlDataSource.Create($"{await database.Server.CreateDatabaseAsync()};Application Name=elsewhere");
        var builder = new DbContextOptionsBuilder<Shop>().EnableServiceProviderCaching(false).UseNpgsql(database.For($"here {isPooled} {mapsAnEnum}"), npgsql => _ = mapsAnEnum ? npgsql.MapEnum<DayOfWeek>("unused") : npgsql);
        await using var shop = new Shop(isPooled ? builder.UseTransactionPooling().Options : builder.Options);
        Assert.Equal($"here {isPooled} {mapsAnEnum}", await shop.GetApplicationNameAsync());

        shop.Database.SetDbDataSource(elsewhere);

        Assert.Equal("elsewhere", await shop.GetApplicationNameAsync());
        Assert.Equal(isPooled, shop.Database.GetDbConnection() is LogicalConnection);
    }

    [Fact]
    public async Task SetDbDataSource_MovesTheContextToThatPool()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("set data source"));
        await using var shop = database.CreateShop("before set data source");
        await shop.GetBackendPidAsync();
        shop.Database.SetDbDataSource(pool);
        await AssertIsPooledAsync(shop, "set data source");
        Assert.Same(pool, shop.Database.GetTransactionPool());
    }

    [Fact]
    public async Task OnConfiguring_IsAPlaceToSwitchItOn()
    {
        await using var context = new SelfConfigured(database.For("on configuring"));
        Assert.Equal("on configuring", await context.GetApplicationNameAsync());
        Assert.IsAssignableFrom<LogicalConnection>(context.Database.GetDbConnection());
    }

    [Fact]
    public void WithoutUseNpgsql_SaysSo()
    {
        var options = new DbContextOptionsBuilder<Shop>().UseTransactionPooling().Options;
        Assert.Contains("UseNpgsql", Assert.Throws<InvalidOperationException>(() => new Shop(options).Customers.ToList()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutUseTransactionPooling_ThereIsNoPool_AndTheErrorSaysSo()
    {
        using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(database.ConnectionString).Options);
        var error = Assert.Throws<InvalidOperationException>(() => shop.Database.GetTransactionPool());
        Assert.Contains("UseTransactionPooling()", error.Message, StringComparison.Ordinal);
    }

    private sealed class SelfConfigured(string connectionString) : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) => optionsBuilder.UseNpgsql(connectionString).UseTransactionPooling();
    }

    private static async Task AssertIsPooledAsync(Shop shop, string applicationName)
    {
        Assert.IsAssignableFrom<LogicalConnection>(shop.Database.GetDbConnection());
        Assert.Equal(applicationName, await shop.GetApplicationNameAsync());
        var pool = shop.Database.GetTransactionPool();
        Assert.True(pool.GetSnapshot().LeasesGranted > 0);
        PoolAssert.NothingLeased(pool);
    }
}
