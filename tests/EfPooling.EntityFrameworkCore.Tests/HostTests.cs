using EfPooling.AdoNet;
using EfPooling.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

public sealed class HostTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task StartingTheHost_OpensMinPoolSize_AndDisposingItClosesThePool()
    {
        var host = CreateHost(database.For("warm"), options => options.MinPoolSize = 3);
        await host.StartAsync();
        await Wait.ForBackendsAsync(database, "warm", 3);
        var pool = host.Services.GetRequiredService<TransactionPoolingDataSource>();
        await host.StopAsync();
        host.Dispose();
        Assert.Equal(PoolPhase.Closed, pool.GetSnapshot().Phase);
        await Wait.ForBackendsAsync(database, "warm", 0);
        Assert.Throws<PoolClosedException>(() => pool.OpenConnection());
    }

    // Test fixtures and console programs stop a host, then look at what it has written, and only then dispose it.
    [Fact]
    public async Task HostThatWasStopped_StillServesItsScopes_UntilItIsDisposed()
    {
        var host = CreateHost(database.For("stopped"));
        var seen = -1;
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopped.Register(() => seen = CountCustomers(host));
        await host.StartAsync();
        await host.StopAsync();
        Assert.NotEqual(-1, seen);
        Assert.Equal(seen, CountCustomers(host));
        host.Dispose();
        await Wait.ForBackendsAsync(database, "stopped", 0);
    }

    private static int CountCustomers(IHost host)
    {
        using var scope = host.Services.CreateScope();
        return scope.ServiceProvider.GetRequiredService<Shop>().Customers.Count(customer => customer.Name == "of a stopped host");
    }

    [Fact]
    public async Task WithoutMinPoolSize_StartingTheHostOpensNothing()
    {
        using var host = CreateHost(database.For("cold"));
        await host.StartAsync();
        Assert.Equal(0, host.Services.GetRequiredService<TransactionPoolingDataSource>().GetSnapshot().Opened);
        await host.StopAsync();
    }

    [Fact]
    public async Task ServerThatIsNotThere_DoesNotKeepTheHostFromStarting()
    {
        using var host = CreateHost(new NpgsqlConnectionStringBuilder(database.For("absent")) { Database = "absent" }.ConnectionString, options => options.MinPoolSize = 1);
        await host.StartAsync();
        await host.StopAsync();
    }

    [Fact]
    public async Task StoppingTheHost_WaitsForWhatStillRuns()
    {
        using var host = CreateHost(database.For("drain"), options => options.MinPoolSize = 1);
        await host.StartAsync();
        var shop = host.Services.CreateScope().ServiceProvider.GetRequiredService<Shop>();
        var transaction = await shop.Database.BeginTransactionAsync();
        shop.Add(new Customer { Name = "drain" });
        await shop.SaveChangesAsync();
        var stopping = host.StopAsync();
        await transaction.CommitAsync();
        await stopping;
        Assert.Equal(1L, await database.ScalarAsync("SELECT count(*) FROM \"Customers\" WHERE \"Name\" = 'drain'"));
    }

    [Fact]
    public async Task HostDisposedWithoutStopping_ClosesThePool()
    {
        var host = CreateHost(database.For("disposed"));
        var pool = host.Services.GetRequiredService<TransactionPoolingDataSource>();
        await using (await pool.OpenConnectionAsync())
        {
        }

        host.Dispose();
        Assert.Equal(PoolPhase.Closed, pool.GetSnapshot().Phase);
        await Wait.ForBackendsAsync(database, "disposed", 0);
    }

    [Fact]
    public async Task PoolThatOutlivesItsFirstHost_ServesTheNextHostWithEverything()
    {
        var connectionString = new NpgsqlConnectionStringBuilder(database.For("outlives")) { Database = $"{database.Name}_outlives" }.ConnectionString;
        for (var i = 0; i < 2; i++)
        {
            var builder = Host.CreateApplicationBuilder();
            builder.Services.AddDbContext<Shop>(options => options.UseNpgsql(connectionString).UseTransactionPooling());
            using var host = builder.Build();
            await host.StartAsync();
            using (var scope = host.Services.CreateScope())
            {
                var shop = scope.ServiceProvider.GetRequiredService<Shop>();
                if (i == 0)
                {
                    shop.Database.GetTransactionPool(); // Exists from now on, with this host's logging.
                }
                else
                {
                    await shop.Database.EnsureCreatedAsync();
                    Assert.Equal(0, await shop.Customers.CountAsync());
                    await shop.Database.EnsureDeletedAsync();
                }
            }

            await host.StopAsync();
        }
    }

    private static IHost CreateHost(string connectionString, Action<TransactionPoolingOptions>? configure = null)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddTransactionPooling(connectionString, configure);
        builder.Services.AddDbContext<Shop>(options => options.UseNpgsql().UseTransactionPooling());
        return builder.Build();
    }
}
