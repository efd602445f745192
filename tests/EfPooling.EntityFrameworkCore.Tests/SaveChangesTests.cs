namespace EfPooling.EntityFrameworkCore.Tests;

public sealed class SaveChangesTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task GeneratedKeysAndConcurrencyTokens_AreReadBack()
    {
        await using var shop = database.CreateShop("keys");
        var customer = new Customer { Name = "keys", Orders = [new Order { Total = 1 }, new Order { Total = 2 }] };
        shop.Add(customer);
        Assert.Equal(3, await shop.SaveChangesAsync());
        Assert.NotEqual(0, customer.Id);
        Assert.NotEqual(0u, customer.Version);
        Assert.Equal(2, customer.Orders.Select(order => order.Id).Distinct().Count());
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public void SynchronousSaveChanges_HoldsNothingAfterwards()
    {
        using var shop = database.CreateShop("synchronous save");
        var customer = new Customer { Name = "synchronous" };
        shop.Add(customer);
        shop.SaveChanges();
        var version = customer.Version;
        customer.Name = "synchronous 2";
        shop.SaveChanges();
        Assert.NotEqual(version, customer.Version);
        shop.Remove(customer);
        Assert.Equal(1, shop.SaveChanges());
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task ThousandsOfRows_AreSavedInOneTransactionOnOneServerConnection()
    {
        await using var shop = database.CreateShop("thousands", pool: options => (options.MaxPoolSize, options.Shuffle) = (5, false));
        shop.Add(new Customer { Name = "thousands", Orders = [.. Enumerable.Range(1, 5000).Select(i => new Order { Total = i })] });
        Assert.Equal(5001, await shop.SaveChangesAsync());
        var ids = shop.ChangeTracker.Entries<Order>().Select(entry => entry.Entity.Id).ToHashSet();
        Assert.Equal(5000, ids.Count);
        Assert.Equal(5000, await shop.Orders.CountAsync(order => order.Customer!.Name == "thousands"));
        Assert.Equal(1, shop.Database.GetTransactionPool().GetSnapshot().Opened);
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task ExecuteUpdateAndDelete_ReportTheirRows()
    {
        await using var shop = database.CreateShop("bulk");
        shop.Add(new Customer { Name = "bulk", Orders = [new Order { Total = 1 }, new Order { Total = 2 }] });
        await shop.SaveChangesAsync();
        var orders = shop.Orders.Where(order => order.Customer!.Name == "bulk");
        Assert.Equal(2, await orders.ExecuteUpdateAsync(set => set.SetProperty(order => order.Total, order => order.Total * 10)));
        Assert.Equal(30, await orders.SumAsync(order => order.Total));
        Assert.Equal(2, await orders.ExecuteDeleteAsync());
        Assert.Equal(0, orders.ExecuteDelete());
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task ExecuteSql_ReportsItsRows()
    {
        await using var shop = database.CreateShop("execute sql");
        shop.Add(new Customer { Name = "execute sql" });
        await shop.SaveChangesAsync();
        Assert.Equal(1, await shop.Database.ExecuteSqlAsync($"UPDATE \"Customers\" SET \"Name\" = 'execute sql 2' WHERE \"Name\" = {"execute sql"}"));
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task LostUpdate_IsReportedAndHoldsNothing()
    {
        await using var one = database.CreateShop("lost update");
        one.Add(new Customer { Name = "lost update" });
        await one.SaveChangesAsync();
        await using var two = database.CreateShop("lost update");
        Assert.Same(one.Database.GetTransactionPool(), two.Database.GetTransactionPool());
        (await one.Customers.SingleAsync(customer => customer.Name == "lost update")).Orders.Add(new Order());
        var stale = await two.Customers.SingleAsync(customer => customer.Name == "lost update");
        await one.Customers.ExecuteUpdateAsync(set => set.SetProperty(customer => customer.Name, customer => customer.Name + "!"));
        stale.Name = "too late";
        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => two.SaveChangesAsync());
        PoolAssert.NothingLeased(two);
        await two.Entry(stale).ReloadAsync();
        stale.Name = "in time";
        Assert.Equal(1, await two.SaveChangesAsync());
        PoolAssert.NothingLeased(two);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UniqueViolation_IsReportedAndHoldsNothing(bool isAsync)
    {
        await using var shop = database.CreateShop($"unique {isAsync}");
        shop.AddRange(Enumerable.Range(0, 100).Select(i => new Customer { Name = $"unique {isAsync} {i % 60}" }));
        var error = isAsync
            ? await Assert.ThrowsAsync<DbUpdateException>(() => shop.SaveChangesAsync())
            : Assert.Throws<DbUpdateException>(() => { shop.SaveChanges(); });
        Assert.Equal("23505", Assert.IsType<Npgsql.PostgresException>(error.InnerException).SqlState);
        PoolAssert.NothingLeased(shop);
        Assert.Equal(0, await shop.Customers.CountAsync(customer => customer.Name.StartsWith($"unique {isAsync}")));
    }

    [Fact]
    public async Task TokenCancelledBefore_SendsNothingAndHoldsNothing()
    {
        await using var shop = database.CreateShop("cancelled before");
        shop.Add(new Customer { Name = "cancelled before" });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => shop.SaveChangesAsync(new CancellationToken(canceled: true)));
        PoolAssert.NothingLeased(shop);
        Assert.Equal(0, await shop.Customers.CountAsync(customer => customer.Name == "cancelled before"));
    }

    [Fact]
    public async Task TokenCancelledWhileSaving_HoldsNothing()
    {
        await using var blocker = database.CreateShop("blocker");
        await using var transaction = await blocker.Database.BeginTransactionAsync();
        await blocker.Database.ExecuteSqlAsync($"LOCK TABLE \"Orders\" IN ACCESS EXCLUSIVE MODE");

        await using var shop = database.CreateShop("cancelled while saving");
        shop.Add(new Customer { Name = "cancelled while saving", Orders = [new Order()] });
        using var cancel = new CancellationTokenSource();
        var saving = shop.SaveChangesAsync(cancel.Token);
        await Wait.ForLockAsync(database, "cancelled while saving");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => saving);
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task BackendKilledWhileSaving_IsReportedAndHoldsNothing()
    {
        await using var blocker = database.CreateShop("blocker of kill");
        var transaction = await blocker.Database.BeginTransactionAsync();
        await blocker.Database.ExecuteSqlAsync($"LOCK TABLE \"Orders\" IN ACCESS EXCLUSIVE MODE");

        await using var shop = database.CreateShop("killed while saving");
        shop.Add(new Customer { Name = "killed while saving", Orders = [new Order()] });
        var saving = shop.SaveChangesAsync();
        await database.Server.TerminateBackendAsync(await Wait.ForLockAsync(database, "killed while saving"));
        await Assert.ThrowsAnyAsync<Exception>(() => saving);
        await transaction.DisposeAsync();
        PoolAssert.NothingLeased(shop);
        Assert.Equal(2, await shop.SaveChangesAsync());
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task ParallelSaves_OfManyContexts_KeepTheirRowsApart()
    {
        var options = database.Options("parallel saves", pool: options => options.MaxPoolSize = 3);
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            await using var shop = new Shop(options);
            var customer = new Customer { Name = $"parallel {i}", Orders = [new Order { Total = i }] };
            shop.Add(customer);
            await shop.SaveChangesAsync();
            Assert.Equal($"parallel {i}", await shop.Customers.AsNoTracking().Where(found => found.Id == customer.Id).Select(found => found.Name).SingleAsync());
        }));
        await using var last = new Shop(options);
        PoolAssert.NothingLeased(last);
    }
}
