using System.Data;
using System.Data.Common;
using System.Transactions;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Storage;
using IsolationLevel = System.Data.IsolationLevel;

namespace EfPooling.EntityFrameworkCore.Tests;

public sealed class TransactionTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task Transaction_KeepsOneServerConnectionFromItsFirstCommandToCommit()
    {
        await using var shop = database.CreateShop("commit", pool: options => options.MaxPoolSize = 2);
        var pool = shop.Database.GetTransactionPool();
        await using var transaction = await shop.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        Assert.Equal(0, pool.GetSnapshot().InUse);
        var pid = await shop.GetBackendPidAsync();
        Assert.Equal("repeatable read", await shop.Database.SqlQuery<string>($"SELECT current_setting('transaction_isolation') AS \"Value\"").SingleAsync());
        shop.Add(new Customer { Name = "commit" });
        await shop.SaveChangesAsync();
        Assert.Equal(pid, await shop.GetBackendPidAsync());
        Assert.Equal(1, pool.GetSnapshot().InUse);
        await transaction.CommitAsync();
        PoolAssert.NothingLeased(shop);
        Assert.Equal(1, await shop.Customers.CountAsync(customer => customer.Name == "commit"));
    }

    [Fact]
    public void Rollback_UndoesAndHoldsNothing()
    {
        using var shop = database.CreateShop("rollback");
        using (var transaction = shop.Database.BeginTransaction())
        {
            shop.Add(new Customer { Name = "rollback" });
            shop.SaveChanges();
            transaction.Rollback();
        }

        PoolAssert.NothingLeased(shop);
        Assert.Equal(0, shop.Customers.Count(customer => customer.Name == "rollback"));
    }

    // The connection is closed between two contexts that share it and its transaction, as disposing a context that owns it does.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TransactionThatIsGone_IsRefusedByTheNextContext_AndNothingIsWritten(bool isPooled)
    {
        var connectionString = database.For($"gone {isPooled}");
        await using DbDataSource source = isPooled ? TransactionPoolingDataSource.Create(connectionString) : Npgsql.NpgsqlDataSource.Create(connectionString);
        await using var connection = await source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var first = On(connection, isPooled))
        {
            await first.Database.UseTransactionAsync(transaction);
            first.Add(new Customer { Name = "gone" });
            await first.SaveChangesAsync();
        }

        await connection.CloseAsync();
        await using var second = On(connection, isPooled);
        await Assert.ThrowsAsync<InvalidOperationException>(() => second.Database.UseTransactionAsync(transaction));
        Assert.Equal(ConnectionState.Open, connection.State); // EF Core has opened it to look.
        await Assert.ThrowsAsync<InvalidOperationException>(() => second.Database.UseTransactionAsync(transaction));
        await transaction.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => second.Database.UseTransactionAsync(transaction));
        Assert.Equal(0L, await database.ScalarAsync("SELECT count(*) FROM \"Customers\" WHERE \"Name\" = 'gone'"));
    }

    private static Shop On(DbConnection connection, bool isPooled)
    {
        var builder = new DbContextOptionsBuilder<Shop>().UseNpgsql(connection);
        return new Shop((isPooled ? builder.UseTransactionPooling() : builder).Options);
    }

    [Fact]
    public async Task Savepoints_AreSetByEfAndByTheUser()
    {
        await using var shop = database.CreateShop("savepoints");
        await using var transaction = await shop.Database.BeginTransactionAsync();
        shop.Add(new Customer { Name = "savepoint 1" });
        await shop.SaveChangesAsync();
        shop.Add(new Customer { Name = "savepoint 1" });
        await Assert.ThrowsAsync<DbUpdateException>(() => shop.SaveChangesAsync()); // EF Core rolls back to its own savepoint.
        shop.ChangeTracker.Clear();
        await transaction.CreateSavepointAsync("mine");
        await shop.Database.ExecuteSqlAsync($"DELETE FROM \"Customers\" WHERE \"Name\" = 'savepoint 1'");
        await transaction.RollbackToSavepointAsync("mine");
        await transaction.ReleaseSavepointAsync("mine");
        await transaction.CommitAsync();
        Assert.Equal(1, await shop.Customers.CountAsync(customer => customer.Name == "savepoint 1"));
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task UseTransaction_LetsTwoContextsOnOneConnectionWorkInOneTransaction()
    {
        await using var first = database.CreateShop("two contexts");
        await using var second = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(first.Database.GetDbConnection()).UseTransactionPooling().Options);
        Assert.Same(first.Database.GetDbConnection(), second.Database.GetDbConnection());
        Assert.Same(first.Database.GetTransactionPool(), second.Database.GetTransactionPool());
        await using (var transaction = await first.Database.BeginTransactionAsync())
        {
            first.Add(new Customer { Name = "two contexts" });
            await first.SaveChangesAsync();
            await second.Database.UseTransactionAsync(transaction.GetDbTransaction());
            Assert.Equal(await first.GetBackendPidAsync(), await second.GetBackendPidAsync());
            second.Add(new Order { CustomerId = (await second.Customers.SingleAsync(customer => customer.Name == "two contexts")).Id });
            await second.SaveChangesAsync();
            await transaction.CommitAsync();
        }

        await second.Database.UseTransactionAsync(null);
        Assert.Equal(1, await second.Orders.CountAsync(order => order.Customer!.Name == "two contexts"));
        PoolAssert.NothingLeased(first);
    }

    [Fact]
    public async Task TwoContextsOnOneConnection_TakeTurns()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("turns"), options => options.MaxPoolSize = 1);
        await using var connection = await pool.OpenConnectionAsync();
        var options = new DbContextOptionsBuilder<Shop>().UseNpgsql(connection).UseTransactionPooling().Options;
        await using var first = new Shop(options);
        await using var second = new Shop(options);
        first.Add(new Customer { Name = "turns" });
        await first.SaveChangesAsync();
        Assert.Equal(1, await second.Customers.CountAsync(customer => customer.Name == "turns"));
        await first.DisposeAsync();
        Assert.Equal(ConnectionState.Open, connection.State);
        Assert.Equal(1, await second.Customers.CountAsync(customer => customer.Name == "turns"));
        PoolAssert.NothingLeased(pool);
    }

    [Fact]
    public async Task TransactionScope_SpansTwoContextsOnOneServerConnection()
    {
        var options = database.Options("scope");
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var first = new Shop(options);
            await using var second = new Shop(options);
            first.Add(new Customer { Name = "scope 1" });
            await first.SaveChangesAsync();
            second.Add(new Customer { Name = "scope 2" });
            await second.SaveChangesAsync();
            Assert.Equal(await first.GetBackendPidAsync(), await second.GetBackendPidAsync());
            scope.Complete();
        }

        await using var shop = new Shop(options);
        PoolAssert.NothingLeased(shop);
        Assert.Equal(2, await shop.Customers.CountAsync(customer => customer.Name.StartsWith("scope ")));
    }

    [Fact]
    public async Task TransactionScope_WithoutComplete_RollsBack()
    {
        await using var shop = database.CreateShop("scope rollback");
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            shop.Add(new Customer { Name = "no complete" });
            await shop.SaveChangesAsync();
        }

        Assert.Equal(0, await shop.Customers.CountAsync(customer => customer.Name == "no complete"));
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task OpenConnection_HoldsNoServerConnection()
    {
        await using var shop = database.CreateShop("idle");
        await shop.Database.OpenConnectionAsync();
        await using var other = database.CreateShop("idle");
        Assert.Equal(0, shop.Database.GetTransactionPool().GetSnapshot().InUse);
        Assert.Equal(0, await other.Customers.CountAsync(customer => customer.Name == "nobody"));
        await using var transaction = await shop.Database.BeginTransactionAsync();
        Assert.Equal(0, await other.Customers.CountAsync(customer => customer.Name == "nobody"));
    }
}
