using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfPooling.EntityFrameworkCore.Tests;

#pragma warning disable EF1001 // The provider's own creator is what people derive from.
#pragma warning disable CA1812 // EF Core makes them.

/// <summary>Services of the application's own that were there before those of the pool: they are kept, as EF Core's own registrations keep them.</summary>
public sealed class EarlierInternalServiceProviderTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    public static TheoryData<By, bool> Ways => new() { { By.Type, false }, { By.Type, true }, { By.Factory, true }, { By.OptionsExtension, false }, { By.OptionsExtension, true } };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task OwnFactoryOfCommands_IsUsed_OnThePool(By by, bool isPooled)
    {
        await using var internals = by == By.OptionsExtension ? null : Internals(isPooled, services => AddFactory(services, by));
        await using var shop = new Shop(Options<Shop>(database.For($"earlier {by}"), isPooled, internals, AddFactory));
        var customer = new Customer { Name = $"{by} {isPooled}", Orders = [new Order { Total = 1 }] };
        shop.Add(customer);
        await shop.SaveChangesAsync();
        Assert.Equal(1, await shop.Customers.CountAsync(each => each.Id == customer.Id));
        Assert.IsType<OwnFactory>(shop.GetService<IRelationalCommandBuilderFactory>());
        Assert.Equal(isPooled, shop.Database.GetDbConnection() is LogicalConnection);
        if (isPooled)
        {
            PoolAssert.NothingLeased(shop);
        }
    }

    [Fact]
    public async Task OwnFactoryOfCommands_AndDeclaredSettings_AreRefused()
    {
        await using var shop = new Shop(Options<Shop>(database.For("earlier settings"), isPooled: true, null, AddFactory, pool => pool.SessionSetting("app.tenant", "1")));
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => shop.Customers.CountAsync());
        Assert.Contains("IRelationalCommandBuilderFactory", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task OwnDatabaseCreator_CreatesAndDrops(By by, bool isPooled)
    {
        await using var internals = by == By.OptionsExtension ? null : Internals(isPooled, services => AddCreator(services, by));
        var connectionString = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = $"earlier_{Guid.NewGuid():N}" }.ConnectionString;
        await using var library = new Library(Options<Library>(connectionString, isPooled, internals, AddCreator));
        Assert.True(await library.Database.EnsureCreatedAsync());
        Assert.Equal("own", await library.Database.SqlQuery<string>($"SELECT obj_description('\"Books\"'::regclass) AS \"Value\"").SingleAsync());
        library.Add(new Book { Genre = Genre.Poetry });
        await library.SaveChangesAsync();
        Assert.Equal(isPooled, library.Database.GetDbConnection() is LogicalConnection);
        Assert.IsType<OwnCreator>(library.GetService<IRelationalDatabaseCreator>());
        Assert.True(await library.Database.EnsureDeletedAsync());
        Assert.False(await library.Database.CanConnectAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OwnCreatorOfDatabasesOfAnyKind_IsUsed(bool isPooled)
    {
        await using var internals = Internals(isPooled, services => services.AddScoped<IDatabaseCreator, DerivedCreator>());
        await using var shop = new Shop(Options<Shop>(database.For("earlier creator"), isPooled, internals, _ => { }));
        Assert.IsType<DerivedCreator>(shop.GetService<IDatabaseCreator>());
        Assert.False(await shop.Database.EnsureCreatedAsync());
        Assert.Equal(isPooled, shop.Database.GetDbConnection() is LogicalConnection);
    }

    private static void AddFactory(IServiceCollection services) => AddFactory(services, By.Type);

    private static void AddFactory(IServiceCollection services, By by)
        => _ = by switch
        {
            By.Factory => services.AddSingleton<IRelationalCommandBuilderFactory>(provider => ActivatorUtilities.CreateInstance<OwnFactory>(provider)),
            _ => services.AddSingleton<IRelationalCommandBuilderFactory, OwnFactory>(),
        };

    private static void AddCreator(IServiceCollection services) => AddCreator(services, By.Type);

    private static void AddCreator(IServiceCollection services, By by)
        => _ = by == By.Factory
            ? services.AddScoped<IRelationalDatabaseCreator>(provider => ActivatorUtilities.CreateInstance<OwnCreator>(provider))
            : services.AddScoped<IRelationalDatabaseCreator, OwnCreator>();

    private static ServiceProvider Internals(bool isPooled, Action<IServiceCollection> add)
    {
        var services = new ServiceCollection();
        add(services);
        services.AddEntityFrameworkNpgsql();
        return (isPooled ? services.AddEntityFrameworkTransactionPooling() : services).BuildServiceProvider();
    }

    private static DbContextOptions<T> Options<T>(
        string connectionString, bool isPooled, IServiceProvider? internals, Action<IServiceCollection> add, Action<TransactionPoolingOptions>? pool = null)
        where T : DbContext
    {
        var builder = new DbContextOptionsBuilder<T>();
        if (internals is null)
        {
            builder.EnableServiceProviderCaching(false); // EF Core warns of more than twenty in a process.
            ((IDbContextOptionsBuilderInfrastructure)builder).AddOrUpdateExtension(new OwnExtension(add));
        }
        else
        {
            builder.UseInternalServiceProvider(internals);
        }

        builder.UseNpgsql(connectionString, npgsql => npgsql.MapEnum<Genre>("genre"));
        return (isPooled ? builder.UseTransactionPooling(pool) : builder).Options;
    }

    public enum By
    {
        /// <summary>In the collection that UseInternalServiceProvider is given, as a type.</summary>
        Type,

        /// <summary>The same, as a factory.</summary>
        Factory,


        /// <summary>By an extension of the options that is applied before the provider's and the pool's.</summary>
        OptionsExtension,
    }

    private sealed class OwnExtension(Action<IServiceCollection> add) : IDbContextOptionsExtension
    {
        public DbContextOptionsExtensionInfo Info => field ??= new ExtensionInfo(this);

        public void ApplyServices(IServiceCollection services) => add(services);

        public void Validate(IDbContextOptions options)
        {
        }

        private Action<IServiceCollection> Add => add;

        private sealed class ExtensionInfo(OwnExtension extension) : DbContextOptionsExtensionInfo(extension)
        {
            public override bool IsDatabaseProvider => false;

            public override string LogFragment => "";

            public override int GetServiceProviderHashCode() => extension.Add.Method.GetHashCode();

            public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other) => other is ExtensionInfo && other.GetServiceProviderHashCode() == GetServiceProviderHashCode();

            public override void PopulateDebugInfo(IDictionary<string, string> debugInfo)
            {
            }
        }
    }

    private sealed class OwnFactory(RelationalCommandBuilderDependencies dependencies) : RelationalCommandBuilderFactory(dependencies);

    private sealed class DerivedCreator(RelationalDatabaseCreatorDependencies dependencies, INpgsqlRelationalConnection connection, IRawSqlCommandBuilder rawSql)
        : NpgsqlDatabaseCreator(dependencies, connection, rawSql);

    private sealed class OwnCreator(RelationalDatabaseCreatorDependencies dependencies, INpgsqlRelationalConnection connection, IRawSqlCommandBuilder rawSql)
        : NpgsqlDatabaseCreator(dependencies, connection, rawSql)
    {
        public override async Task<bool> EnsureCreatedAsync(CancellationToken cancellationToken = default)
            => await base.EnsureCreatedAsync(cancellationToken) && await Dependencies.CurrentContext.Context.Database.ExecuteSqlAsync($"COMMENT ON TABLE \"Books\" IS 'own'", cancellationToken) == -1;
    }
}
