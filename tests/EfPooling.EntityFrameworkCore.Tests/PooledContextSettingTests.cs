using System.Transactions;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>What one user of a pooled context has set on its connection does not reach the next one.</summary>
public sealed class PooledContextSettingTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task SettingOfTheConnection_EndsWithTheUseOfTheContext()
    {
        var factory = new PooledDbContextFactory<Shop>(database.Options("own setting"), poolSize: 1);
        await using (var shop = await factory.CreateDbContextAsync())
        {
            ((LogicalConnection)shop.Database.GetDbConnection()).SetSessionSetting("app.tenant_id", "a");
            Assert.Equal("a", await TenantAsync(shop));
            Assert.Equal("a", await TenantAsync(shop));
        }

        await using var next = await factory.CreateDbContextAsync();
        Assert.Equal("", await TenantAsync(next));
    }

    [Fact]
    public async Task SettingInAScopeThatOutlivesTheContext_DoesNotReachTheNextUser()
    {
        var factory = new PooledDbContextFactory<Shop>(database.Options("set in a scope"), poolSize: 1);
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var shop = await factory.CreateDbContextAsync();
            await shop.Database.ExecuteSqlRawAsync("SET app.tenant_id = 'a'");
            await shop.DisposeAsync();
            scope.Complete();
        }

        await using var next = await factory.CreateDbContextAsync();
        await next.Database.OpenConnectionAsync();
        Assert.Equal("", await TenantAsync(next));
    }

    private static Task<string> TenantAsync(Shop shop)
        => shop.Database.SqlQuery<string>($"SELECT coalesce(current_setting('app.tenant_id', true), '') AS \"Value\"").SingleAsync();
}
