using System.Data.Common;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>The application's own interceptors run as ever, before and after ours.</summary>
public sealed class InterceptorTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OwnInterceptors_SeeCommandsConnectionsTransactionsAndSaves(bool before)
    {
        var seen = new Seen();
        var builder = new DbContextOptionsBuilder<Shop>().UseNpgsql(database.For($"seen {before}"));
        _ = before ? builder.AddInterceptors(seen.All).UseTransactionPooling() : builder.UseTransactionPooling().AddInterceptors(seen.All);
        await using var shop = new Shop(builder.Options);
        shop.Add(new Customer { Name = $"seen {before}", Orders = [new Order()] });
        await shop.SaveChangesAsync();
        await shop.Customers.CountAsync();
        Assert.Equal(
            ["ConnectionCreating", "ConnectionOpening", "ConnectionOpened", "TransactionStarted", "TransactionCommitted", "ReaderExecuted", "SavedChanges"],
            seen.Events.Distinct().OrderBy(name => Array.IndexOf(Seen.Order, name)));
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task OwnConnectionOfAnInterceptor_IsRespected()
    {
        await using var pool = TransactionPoolingDataSource.Create(database.For("their own"));
        var theirs = new Supplying(pool.CreateConnection());
        await using var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(database.For("not theirs")).AddInterceptors(theirs).UseTransactionPooling().Options);
        Assert.Equal("their own", await shop.GetApplicationNameAsync());
        Assert.Same(pool, shop.Database.GetTransactionPool());
    }

    [Fact]
    public async Task ReaderInterceptorThatThrows_LeavesNothingLeased()
    {
        await using var shop = database.CreateShop("throwing", builder => builder.AddInterceptors(new Throwing()));
        shop.Add(new Customer { Name = "throwing" });
        await Assert.ThrowsAnyAsync<Exception>(() => shop.SaveChangesAsync());
        PoolAssert.NothingLeased(shop);
        await Assert.ThrowsAnyAsync<Exception>(() => shop.Customers.ToListAsync());
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task InterceptorThatKeepsTheReaderFromBeingDisposed_LeavesNothingLeasedOnceTheContextIsGone()
    {
        var options = database.Options("keeping", builder => builder.AddInterceptors(new Keeping()));
        await using (var shop = new Shop(options))
        {
            shop.Add(new Customer { Name = "keeping" });
            await shop.SaveChangesAsync();
        }

        await using var other = new Shop(options);
        PoolAssert.NothingLeased(other);
    }

    private sealed class Seen : IDbCommandInterceptor, IDbConnectionInterceptor, IDbTransactionInterceptor, ISaveChangesInterceptor
    {
        public static readonly string[] Order =
            ["ConnectionCreating", "ConnectionOpening", "ConnectionOpened", "TransactionStarted", "TransactionCommitted", "ReaderExecuted", "SavedChanges"];

        public List<string> Events { get; } = [];

        public IInterceptor[] All => [this];

        InterceptionResult<DbConnection> IDbConnectionInterceptor.ConnectionCreating(ConnectionCreatingEventData eventData, InterceptionResult<DbConnection> result)
            => Note("ConnectionCreating", result);

        ValueTask<InterceptionResult> IDbConnectionInterceptor.ConnectionOpeningAsync(
            DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken)
            => new(Note("ConnectionOpening", result));

        Task IDbConnectionInterceptor.ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken)
            => Note("ConnectionOpened", Task.CompletedTask);

        ValueTask<DbTransaction> IDbTransactionInterceptor.TransactionStartedAsync(
            DbConnection connection, TransactionEndEventData eventData, DbTransaction result, CancellationToken cancellationToken)
            => new(Note("TransactionStarted", result));

        Task IDbTransactionInterceptor.TransactionCommittedAsync(DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken)
            => Note("TransactionCommitted", Task.CompletedTask);

        ValueTask<DbDataReader> IDbCommandInterceptor.ReaderExecutedAsync(
            DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken)
            => new(Note("ReaderExecuted", result));

        ValueTask<int> ISaveChangesInterceptor.SavedChangesAsync(SaveChangesCompletedEventData eventData, int result, CancellationToken cancellationToken)
            => new(Note("SavedChanges", result));

        private T Note<T>(string name, T result)
        {
            Events.Add(name);
            return result;
        }
    }

    private sealed class Supplying(DbConnection connection) : DbConnectionInterceptor
    {
        public override InterceptionResult<DbConnection> ConnectionCreating(ConnectionCreatingEventData eventData, InterceptionResult<DbConnection> result)
            => InterceptionResult<DbConnection>.SuppressWithResult(connection);
    }

    private sealed class Throwing : DbCommandInterceptor
    {
        public override ValueTask<DbDataReader> ReaderExecutedAsync(
            DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default)
            => throw new NotSupportedException("from the interceptor");
    }

    private sealed class Keeping : DbCommandInterceptor
    {
        public override InterceptionResult DataReaderDisposing(DbCommand command, DataReaderDisposingEventData eventData, InterceptionResult result)
            => InterceptionResult.Suppress();
    }
}
