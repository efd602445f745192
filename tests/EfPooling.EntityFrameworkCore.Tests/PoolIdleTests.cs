using System.Runtime.CompilerServices;
using EfPooling.AdoNet;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>The pools that contexts create for themselves go when nobody has used them for PoolIdleTimeout.</summary>
public sealed class PoolIdleTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task PoolsOfManyTenants_CloseTheirServerConnections_AndGo(bool fromDataSources)
    {
        var pools = new List<WeakReference>();
        await using var source = NpgsqlDataSource.Create(database.For("tenants of a source") + ";Pooling=false");
        for (var tenant = 0; tenant < 5; tenant++)
        {
            pools.Add(await UseAsync(fromDataSources ? source : null, tenant));
        }

        var name = fromDataSources ? "tenants of a source" : "tenants";
        await Wait.ForBackendsAsync(database, name, 0);
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return pools.All(pool => !pool.IsAlive);
            },
            TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task ContextThatWasKept_GoesOn_AndSharesItsPoolWithLaterOnes()
    {
        await using var early = database.CreateShop("early", pool: pool => pool.PoolIdleTimeout = Short);
        var pid = await early.GetBackendPidAsync();
        await Wait.ForBackendsAsync(database, "early", 0);

        Assert.NotEqual(pid, await early.GetBackendPidAsync());
        await using var late = database.CreateShop("early", pool: pool => pool.PoolIdleTimeout = Short);
        await late.GetBackendPidAsync();
        Assert.Same(early.Database.GetTransactionPool(), late.Database.GetTransactionPool());
        Assert.True(await database.CountBackendsAsync("early") <= 1);
    }

    [Fact]
    public async Task PoolThatTheUserCreated_IsNotTouched()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("own"), options => (options.PoolIdleTimeout, options.Shuffle) = (Short, false));
        await using var own = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(pool).UseTransactionPooling().Options);
        await using var other = database.CreateShop("other", pool: options => options.PoolIdleTimeout = Short);
        await own.GetBackendPidAsync();
        await other.GetBackendPidAsync();
        await Wait.ForBackendsAsync(database, "other", 0);
        Assert.Equal(1, await database.CountBackendsAsync("own"));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private async Task<WeakReference> UseAsync(NpgsqlDataSource? source, int tenant)
    {
        var builder = new DbContextOptionsBuilder<Shop>();
        builder = source is null ? builder.UseNpgsql(database.For("tenants")) : builder.UseNpgsql(source);
        await using var shop = new Shop(builder.UseTransactionPooling(pool => (pool.Name, pool.PoolIdleTimeout, pool.Shuffle) = ($"tenant {tenant}", Short, false)).Options);
        await shop.GetBackendPidAsync();
        return new WeakReference(shop.Database.GetTransactionPool());
    }
}
