using EfPooling.AdoNet;
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
    public async Task WithoutThem_TheContextSaysWhatToDo()
    {
        await using var internals = new ServiceCollection().AddEntityFrameworkNpgsql().BuildServiceProvider();
        var error = Assert.Throws<InvalidOperationException>(() => Create(database.For("absent services"), internals));
        Assert.Contains("AddEntityFrameworkTransactionPooling()", error.Message);
    }

    [Fact]
    public void CommandsThatAreReplaced_AreRefused()
    {
        var options = new DbContextOptionsBuilder<Shop>().UseNpgsql(database.For("replaced")).UseTransactionPooling()
            .ReplaceService<IRelationalCommandBuilderFactory, RelationalCommandBuilderFactory>().Options;
        Assert.Contains("IRelationalCommandBuilderFactory", Assert.Throws<InvalidOperationException>(() => new Shop(options)).Message);
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

    private static Shop Create(string connectionString, IServiceProvider internals)
        => new(new DbContextOptionsBuilder<Shop>().UseNpgsql(connectionString).UseTransactionPooling().UseInternalServiceProvider(internals).Options);
}
