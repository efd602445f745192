using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>Pooling without commands of ours: internal services that are not the pool's, or another factory of commands.</summary>
public sealed class ForeignCommandTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(Form.WithoutServices, true)]
    [InlineData(Form.WithoutServices, false)]
    [InlineData(Form.ReplacedService, true)]
    [InlineData(Form.ReplacedService, false)]
    [InlineData(Form.ReplacedInternally, true)]
    public async Task QueriesAndSaveChanges_RunOnThePool_AndLeakNothing(Form form, bool isAsync)
    {
        await using var internals = Internals(form);
        await using var shop = new Shop(Options<Shop>(form, internals, database.For($"foreign {form} {isAsync}"), _ => { }));
        for (var i = 0; i < 3; i++)
        {
            var customers = Enumerable.Range(0, 50).Select(number => new Customer { Name = $"{form} {isAsync} {number}", Orders = [new Order { Total = number }] }).ToList();
            shop.AddRange(customers);
            _ = isAsync ? await shop.SaveChangesAsync() : shop.SaveChanges();
            Assert.All(customers, customer => Assert.NotEqual(0, customer.Id));
            customers[0].Name += "!";
            await using var transaction = await shop.Database.BeginTransactionAsync();
            _ = isAsync ? await shop.SaveChangesAsync() : shop.SaveChanges();
            Assert.Equal(50, await shop.Customers.CountAsync(customer => customer.Name.StartsWith($"{form} {isAsync}")));
            await transaction.RollbackAsync();
            Assert.Equal(50, isAsync
                ? await shop.Customers.Where(customer => customer.Name.StartsWith($"{form} {isAsync} ")).ExecuteDeleteAsync()
                : shop.Customers.Where(customer => customer.Name.StartsWith($"{form} {isAsync} ")).ExecuteDelete());
            shop.ChangeTracker.Clear();
        }

        Assert.IsAssignableFrom<LogicalConnection>(shop.Database.GetDbConnection());
        PoolAssert.NothingLeased(shop);
    }

    [Theory]
    [InlineData(Form.WithoutServices, true)]
    [InlineData(Form.WithoutServices, false)]
    [InlineData(Form.ReplacedService, true)]
    [InlineData(Form.ReplacedInternally, false)]
    public async Task SaveChangesThatFails_LeaksNothing(Form form, bool isAsync)
    {
        await using var internals = Internals(form);
        await using var shop = new Shop(Options<Shop>(form, internals, database.For($"foreign failure {form} {isAsync}"), _ => { }));
        shop.Update(new Customer { Id = -1, Name = "nobody" });
        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => isAsync ? shop.SaveChangesAsync() : Task.Run(() => shop.SaveChanges()));
        shop.ChangeTracker.Clear();
        shop.Add(new Order { CustomerId = -1 });
        await Assert.ThrowsAsync<DbUpdateException>(() => isAsync ? shop.SaveChangesAsync() : Task.Run(() => shop.SaveChanges()));
        PoolAssert.NothingLeased(shop);
    }

    [Theory]
    [InlineData(Form.WithoutServices, true)]
    [InlineData(Form.WithoutServices, false)]
    [InlineData(Form.ReplacedService, true)]
    [InlineData(Form.ReplacedInternally, false)]
    public async Task TablesAreCreatedAndMigrated_AndTheirTypesKnown(Form form, bool isAsync)
    {
        foreach (var migrates in new[] { false, true })
        {
            await using var internals = Internals(form);
            await using var library = CreateLibrary(form, internals, await database.Server.CreateDatabaseAsync());
            await library.Database.SqlQuery<int>($"SELECT 1 AS \"Value\"").SingleAsync(); // The pool learns the types before there is the new one.
            if (migrates)
            {
                await (isAsync ? library.Database.MigrateAsync() : Task.Run(() => library.Database.Migrate()));
            }
            else
            {
                Assert.True(isAsync ? await library.Database.EnsureCreatedAsync() : library.Database.EnsureCreated());
            }

            library.Add(new Book { Title = "Faust", Genre = Genre.Poetry });
            await library.SaveChangesAsync();
            Assert.Equal(1, await library.Books.CountAsync(book => book.Genre == Genre.Poetry));
            PoolAssert.NothingLeased(library);
        }
    }

    [Fact]
    public async Task DatabaseThatIsNotThere_IsCreatedWithTheServicesOnly_WhichAnExceptionSays()
    {
        await using var internals = Internals(Form.WithoutServices);
        await using var library = CreateLibrary(Form.WithoutServices, internals, database.ConnectionString.Replace(database.Name, $"foreign_{Guid.NewGuid():N}", StringComparison.Ordinal));
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => library.Database.EnsureCreatedAsync());
        Assert.Contains("AddEntityFrameworkTransactionPooling()", error.ToString(), StringComparison.Ordinal);
        Assert.False(await library.Database.CanConnectAsync());
    }

    [Fact]
    public async Task InterceptorsOfTheApplication_AddedBeforeAndAfter_RunToo()
    {
        await using var internals = Internals(Form.WithoutServices);
        var (before, after) = (new Counter(), new Counter());
        var builder = new DbContextOptionsBuilder<Shop>().AddInterceptors(before).UseNpgsql(database.For("foreign interceptors")).UseTransactionPooling().AddInterceptors(after)
            .UseTransactionPooling(pool => pool.MaxPoolSize = 1).UseInternalServiceProvider(internals);
        foreach (var options in new[] { builder.Options, new DbContextOptionsBuilder<Shop>(builder.Options).UseQueryTrackingBehavior(QueryTrackingBehavior.NoTracking).Options })
        {
            await using var shop = new Shop(options);
            shop.Add(new Customer { Name = $"intercepted {before.Count}" });
            await shop.SaveChangesAsync();
            PoolAssert.NothingLeased(shop);
        }

        Assert.Equal((2, 2), (before.Count, after.Count));
    }

    [Fact]
    public async Task DeclaredSettings_NeedOurCommands_AndAreRefusedWithoutThem()
    {
        await using var internals = Internals(Form.WithoutServices);
        Assert.Contains("AddEntityFrameworkTransactionPooling()", Refuse(Form.WithoutServices, internals), StringComparison.Ordinal);
        Assert.Contains("IRelationalCommandBuilderFactory", Refuse(Form.ReplacedService, internals), StringComparison.Ordinal);
        await using var replaced = Internals(Form.ReplacedInternally);
        Assert.Contains("IRelationalCommandBuilderFactory", Refuse(Form.ReplacedInternally, replaced), StringComparison.Ordinal);

        string Refuse(Form form, IServiceProvider services)
            => Assert.Throws<InvalidOperationException>(() =>
            {
                using var shop = new Shop(Options<Shop>(form, services, database.For("foreign settings"), _ => { }, pool => pool.SessionSetting("app.tenant", "1")));
                _ = shop.Customers.Count();
            }).Message;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DeclaredSettings_AreRefusedOnAConnectionOfTheUsersToo(bool isOpen)
    {
        await using var internals = Internals(Form.ReplacedInternally);
        await using var pool = TransactionPoolingDataSource.Create(database.For($"foreign connection {isOpen}"));
        await using var connection = pool.CreateConnection();
        if (isOpen)
        {
            await connection.OpenAsync();
        }

        await using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(connection).UseTransactionPooling(options => options.SessionSetting("app.tenant", _ => "1", required: true))
            .UseInternalServiceProvider(internals).Options);
        Assert.Contains("IRelationalCommandBuilderFactory", (await Assert.ThrowsAsync<InvalidOperationException>(() => shop.Customers.CountAsync())).Message, StringComparison.Ordinal);
        Assert.Contains("IRelationalCommandBuilderFactory", Assert.Throws<InvalidOperationException>(() => shop.Database.ExecuteSql($"SELECT 1")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SettingsThatThePoolRequires_AreInForce_AndNotNeededToSeeWhetherTheDatabaseIsThere()
    {
        await using var internals = Internals(Form.ReplacedInternally);
        string? tenant = null;
        await using var pool = TransactionPoolingDataSource.Create(database.For("foreign pool"), options => options.SessionSetting("app.tenant", _ => tenant, required: true));
        await using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(pool).UseTransactionPooling().UseInternalServiceProvider(internals).Options);
        Assert.True(await shop.Database.CanConnectAsync());
        await Assert.ThrowsAsync<SessionSettingMissingException>(() => shop.Customers.CountAsync());
        tenant = "mine";
        Assert.Equal("mine", await shop.Database.SqlQuery<string>($"SELECT current_setting('app.tenant') AS \"Value\"").SingleAsync());
    }

    private static Library CreateLibrary(Form form, IServiceProvider internals, string connectionString)
        => new(Options<Library>(form, internals, connectionString, builder => builder.ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning))));

    private static DbContextOptions<T> Options<T>(
        Form form, IServiceProvider internals, string connectionString, Action<DbContextOptionsBuilder<T>> more, Action<TransactionPoolingOptions>? pool = null)
        where T : DbContext
    {
        var builder = new DbContextOptionsBuilder<T>().UseNpgsql(connectionString, npgsql => npgsql.MapEnum<Genre>("genre")).UseTransactionPooling(options =>
        {
            options.MaxPoolSize = 1;
            pool?.Invoke(options);
        });
        more(builder);
        return form == Form.ReplacedService
            ? builder.ReplaceService<IRelationalCommandBuilderFactory, OwnFactory>().Options
            : builder.UseInternalServiceProvider(internals).Options;
    }

    private static ServiceProvider Internals(Form form)
    {
        var services = new ServiceCollection().AddEntityFrameworkNpgsql();
        if (form == Form.ReplacedInternally)
        {
            services.AddEntityFrameworkTransactionPooling();
            services.Replace(ServiceDescriptor.Singleton<IRelationalCommandBuilderFactory, OwnFactory>());
        }

        return services.BuildServiceProvider();
    }

    public enum Form
    {
        /// <summary>UseInternalServiceProvider without the services of the pool.</summary>
        WithoutServices,

        /// <summary>ReplaceService of the factory of commands.</summary>
        ReplacedService,

        /// <summary>UseInternalServiceProvider with the services of the pool, among which the factory is replaced.</summary>
        ReplacedInternally,
    }

#pragma warning disable CA1812 // EF Core makes it.
    private sealed class OwnFactory(RelationalCommandBuilderDependencies dependencies) : RelationalCommandBuilderFactory(dependencies);

    private sealed class Counter : SaveChangesInterceptor
    {
        public int Count { get; private set; }

        public override ValueTask<InterceptionResult<int>> SavingChangesAsync(DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
        {
            Count++;
            return new(result);
        }
    }
}
