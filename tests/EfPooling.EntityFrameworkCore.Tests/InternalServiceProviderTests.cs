using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace EfPooling.EntityFrameworkCore.Tests;

public sealed class InternalServiceProviderTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task WithTheServicesOfThePool_EverythingWorks_MigrationsIncluded()
    {
        await using var internals = new ServiceCollection().AddEntityFrameworkNpgsql().AddEntityFrameworkTransactionPooling().BuildServiceProvider();
        var connectionString = database.For("internal").Replace(database.Name, $"absent_{Guid.NewGuid():N}", StringComparison.Ordinal);
        await using var shop = Create(connectionString, internals);
        Assert.True(await shop.Database.EnsureCreatedAsync());
        shop.Add(new Customer { Name = "internal", Orders = [new Order()] });
        await shop.SaveChangesAsync();
        Assert.IsAssignableFrom<LogicalConnection>(shop.Database.GetDbConnection());
        PoolAssert.NothingLeased(shop);
        Assert.True(await shop.Database.EnsureDeletedAsync());
    }

    [Fact]
    public void ServicesAddedTwice_AreDecoratedOnce()
    {
        var services = new ServiceCollection().AddEntityFrameworkTransactionPooling();
        var count = services.Count;
        var creator = services.Last(service => service.ServiceType == typeof(IRelationalDatabaseCreator));
        services.AddEntityFrameworkNpgsql().AddEntityFrameworkTransactionPooling();
        Assert.Equal(count, services.Count);
        Assert.Contains(creator, services);
    }

    // Whatever is resolved before EF Core has initialised its singleton options never learns of MapEnum.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task MapEnumAndMapRange_AreWhatTheyAreWithoutAPool(bool isPooled)
    {
        var services = new ServiceCollection().AddEntityFrameworkNpgsql();
        await using var internals = (isPooled ? services.AddEntityFrameworkTransactionPooling() : services).BuildServiceProvider();
        var builder = new DbContextOptionsBuilder<Moods>().UseInternalServiceProvider(internals)
            .UseNpgsql(await database.Server.CreateDatabaseAsync(), npgsql => npgsql.MapEnum<Mood>("mood").MapRange<float>("floatrange", subtypeName: "float8"));
        await using var moods = new Moods((isPooled ? builder.UseTransactionPooling() : builder).Options);
        Assert.True(await moods.Database.EnsureCreatedAsync());
        moods.Add(new Person { Mood = Mood.Happy });
        await moods.SaveChangesAsync();
        Assert.Equal(1, await moods.People.CountAsync(person => person.Mood == Mood.Happy));
        Assert.Equal(1, await moods.People.CountAsync(person => person.Mood.ToString() == "happy"));
        Assert.Equal("mood", await moods.Database.SqlQuery<string>($"SELECT udt_name AS \"Value\" FROM information_schema.columns WHERE column_name = 'Mood'").SingleAsync());
        Assert.Equal("floatrange", moods.GetService<IRelationalTypeMappingSource>().FindMapping(typeof(NpgsqlTypes.NpgsqlRange<float>))?.StoreType);
    }

    private static Shop Create(string connectionString, IServiceProvider internals)
        => new(new DbContextOptionsBuilder<Shop>().UseNpgsql(connectionString).UseTransactionPooling().UseInternalServiceProvider(internals).Options);

    public enum Mood
    {
        Sad,
        Happy,
    }

    public sealed class Person
    {
        public int Id { get; set; }

        public Mood Mood { get; set; }
    }

    public sealed class Moods(DbContextOptions<Moods> options) : DbContext(options)
    {
        public DbSet<Person> People => Set<Person>();
    }
}
