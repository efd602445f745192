using EfPooling.AdoNet;
using Microsoft.Extensions.DependencyInjection;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary><c>MapEnum</c> and <c>ConfigureDataSource</c>: what the provider itself would do to a data source.</summary>
public sealed class EnumMappingTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    public enum Mood
    {
        Sad,
        Happy,
    }

    [Fact]
    public async Task MapEnum_WithAConnectionString_WorksAfterEnsureCreated()
    {
        var connectionString = await database.Server.CreateDatabaseAsync();
        await using (var diary = Create(connectionString))
        {
            Assert.True(await diary.Database.EnsureCreatedAsync());
            diary.Add(new Entry { Mood = Mood.Happy });
            await diary.SaveChangesAsync();
        }

        await using var again = Create(connectionString);
        Assert.Equal(Mood.Happy, (await again.Entries.SingleAsync(entry => entry.Mood == Mood.Happy)).Mood);
        Assert.IsAssignableFrom<LogicalConnection>(again.Database.GetDbConnection());
        PoolAssert.NothingLeased(again);
    }

    [Fact]
    public void MapEnum_OfOptionsThatWereBuiltAnew_SharesThePool()
    {
        using var first = Create(database.For("shared enum"));
        using var second = Create(database.For("shared enum"));
        using var without = new Diary(new DbContextOptionsBuilder<Diary>().UseNpgsql(database.For("shared enum")).UseTransactionPooling().Options);
        Assert.Same(first.Database.GetTransactionPool(), second.Database.GetTransactionPool());
        Assert.NotSame(first.Database.GetTransactionPool(), without.Database.GetTransactionPool());
    }

    [Fact]
    public async Task ConfigureDataSource_AppliesToTheServerConnections()
    {
        var options = Configured(database.For("configured"));
        await using var shop = new Shop(options);
        Assert.Equal("configured by callback", await shop.GetApplicationNameAsync());
        await using var other = new Shop(Configured(database.For("configured")));
        Assert.Same(shop.Database.GetTransactionPool(), other.Database.GetTransactionPool());
        shop.Database.SetConnectionString(database.For("configured 2"));
        Assert.Equal("configured by callback", await shop.GetApplicationNameAsync());
        PoolAssert.NothingLeased(shop);
    }

    // As with the provider itself, which makes one data source whatever the callback captures.
    [Fact]
    public void ConfigureDataSource_ThatCapturesSomethingOfEachContext_SharesOnePool()
    {
        var pools = Enumerable.Range(0, 100).Select(i =>
        {
            using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(
                database.For("captured"), npgsql => npgsql.ConfigureDataSource(builder => builder.Name = $"context {i}")).UseTransactionPooling().Options);
            return shop.Database.GetTransactionPool();
        });
        Assert.Single(pools.Distinct());
    }

    [Fact]
    public async Task RegisteredPool_WithMappedEnums_ServesTheContextAndItsMigrations()
    {
        var connectionString = await database.Server.CreateDatabaseAsync();
        var services = new ServiceCollection()
            .AddTransactionPooling(connectionString, configureNpgsql: npgsql => npgsql.MapEnum<Mood>("mood"))
            .AddDbContext<Diary>(options => options.UseNpgsql(npgsql => npgsql.MapEnum<Mood>("mood")).UseTransactionPooling());
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        var diary = scope.ServiceProvider.GetRequiredService<Diary>();
        await diary.Database.EnsureCreatedAsync();
        diary.Add(new Entry { Mood = Mood.Happy });
        await diary.SaveChangesAsync();
        Assert.Same(provider.GetRequiredService<TransactionPoolingDataSource>(), diary.Database.GetTransactionPool());
    }

    private static DbContextOptions<Shop> Configured(string connectionString)
        => new DbContextOptionsBuilder<Shop>().UseNpgsql(
            connectionString,
            npgsql => npgsql.ConfigureDataSource(builder => builder.ConnectionStringBuilder.ApplicationName = "configured by callback")).UseTransactionPooling().Options;

    private static Diary Create(string connectionString)
        => new(new DbContextOptionsBuilder<Diary>().UseNpgsql(connectionString, npgsql => npgsql.MapEnum<Mood>("mood")).UseTransactionPooling().Options);

    private sealed class Diary(DbContextOptions<Diary> options) : DbContext(options)
    {
        public DbSet<Entry> Entries => Set<Entry>();
    }

    private sealed class Entry
    {
        public int Id { get; set; }

        public Mood Mood { get; set; }
    }
}
