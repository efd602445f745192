using Microsoft.EntityFrameworkCore;

namespace OrdersApi.Tests;

[Collection(SharedServerTests.Name)]
public sealed class MigrationTests(SharedServer server)
{
    [Fact]
    public async Task TheMigrations_AreUpToDateWithTheModel()
        => Assert.False(await server.App.WithDbAsync(db => Task.FromResult(db.Database.HasPendingModelChanges())));

    [Fact]
    public async Task Start_AppliesEveryMigration()
    {
        Assert.Empty(await server.App.WithDbAsync(db => db.Database.GetPendingMigrationsAsync()));
        Assert.NotEmpty(await server.App.WithDbAsync(db => db.Database.GetAppliedMigrationsAsync()));
    }

    [Fact]
    public async Task ASecondStart_KeepsTheDataAndAddsNone()
    {
        var connectionString = await server.Postgres.CreateDatabaseAsync();
        await using (var first = OrdersApp.Start(connectionString))
        {
            await first.OrderAsync(1, (1, 1));
        }

        await using var second = OrdersApp.Start(connectionString);

        Assert.Equal(8, (await second.GetAsync("/products"))["total"].GetInt32());
        Assert.Equal(3, (await second.GetAsync("/customers"))["total"].GetInt32());
        Assert.Equal(1, (await second.GetAsync("/orders"))["total"].GetInt32());
    }

    [Fact]
    public async Task Instances_ThatStartTogether_MigrateOnce()
    {
        var connectionString = await server.Postgres.CreateDatabaseAsync();

        var apps = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => OrdersApp.Start(connectionString))));

        foreach (var app in apps)
        {
            Assert.Equal(8, (await app.GetAsync("/products"))["total"].GetInt32());
            await app.DisposeAsync();
        }
    }

    [Fact]
    public async Task GoingBack_RemovesEverything_AndGoingForthBringsItBack()
    {
        await using var app = await server.StartAppAsync();

        var tables = await app.WithDbAsync(async db =>
        {
            await db.Database.MigrateAsync("0");
            return await db.Database.SqlQuery<int>($"SELECT count(*)::int AS \"Value\" FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE '\\_\\_EF%'").SingleAsync();
        });
        await app.WithDbAsync(async db =>
        {
            await db.Database.MigrateAsync();
            return 0;
        });

        Assert.Equal(0, tables);
        Assert.Equal(8, (await app.GetAsync("/products"))["total"].GetInt32());
    }
}
