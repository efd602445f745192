using System.Transactions;

namespace EfPooling.AdoNet.Tests;

public sealed class EnlistmentTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Fact]
    public async Task Enlist_OfACloneThatIsDisposed_StillWorks()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        using var transaction = new CommittableTransaction();
        using (var clone = transaction.Clone())
        {
            connection.EnlistTransaction(clone);
        }

        await connection.RunAsync("INSERT INTO item VALUES (1)");
        transaction.Commit();

        Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task EnlistFalse_DoesNotTakePart_UnlessAskedTo()
    {
        var pool = CreatePool(keywords: "Enlist=false");
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var connection = await pool.OpenConnectionAsync();
            await connection.RunAsync("INSERT INTO item VALUES (1)");
            connection.EnlistTransaction(Transaction.Current);
            await connection.RunAsync("INSERT INTO item VALUES (2)");
        }

        Assert.Equal(1, await AskPlainAsync<int>("SELECT max(id) FROM item"));
    }

    [Fact]
    public async Task Enlist_Explicitly_RunsInTheTransaction_UntilItCompletes()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 2; i++)
        {
            using var transaction = new CommittableTransaction();
            connection.EnlistTransaction(transaction);
            connection.EnlistTransaction(transaction);
            await connection.RunAsync($"INSERT INTO item VALUES ({i})");
            transaction.Commit();
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(2L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Enlist_InNothing_LeavesTheTransaction()
    {
        var pool = CreatePool(maxPoolSize: 2);
        await using var connection = await pool.OpenConnectionAsync();
        using var transaction = new CommittableTransaction();
        connection.EnlistTransaction(transaction);
        await connection.RunAsync("INSERT INTO item VALUES (1)");

        connection.EnlistTransaction(null);
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
        transaction.Commit();

        Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Theory]
    [InlineData(true, typeof(InvalidOperationException))]
    [InlineData(false, typeof(TransactionException))]
    public async Task Enlist_InATransactionThatHasCompleted_IsRefused(bool committed, Type refusal)
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        using var transaction = new CommittableTransaction();
        if (committed)
        {
            transaction.Commit();
        }
        else
        {
            transaction.Rollback();
        }

        Assert.Throws(refusal, () => connection.EnlistTransaction(transaction));
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task Open_InAScopeThatHasAborted_IsRefused()
    {
        var pool = CreatePool();
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        Transaction.Current!.Rollback();
        await using var connection = pool.CreateConnection();

        await Assert.ThrowsAnyAsync<TransactionException>(() => connection.OpenAsync());
        Assert.Equal(System.Data.ConnectionState.Closed, connection.State);
    }

    [Fact]
    public async Task Enlist_InASessionThatIsInATransactionAlready_Fails_AndTheSessionIsRolledBackForTheNextOwner()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var session = await connection.LeaseSessionAsync("BEGIN as text");
        await connection.RunAsync("BEGIN");
        using (var transaction = new CommittableTransaction())
        {
            connection.EnlistTransaction(transaction);
            await Assert.ThrowsAsync<InvalidOperationException>(() => connection.RunAsync("INSERT INTO item VALUES (1)"));
            transaction.Rollback();
        }

        await session.DisposeAsync();
        await connection.RunAsync("INSERT INTO item VALUES (2)");
        Assert.Equal(1L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task Enlist_InASecondTransaction_IsRefused()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        using var first = new CommittableTransaction();
        using var second = new CommittableTransaction();
        connection.EnlistTransaction(first);

        Assert.Throws<InvalidOperationException>(() => connection.EnlistTransaction(second));
        Assert.Throws<InvalidOperationException>(() => connection.BeginTransaction());
        connection.EnlistTransaction(null);
        using var transaction = connection.BeginTransaction();
        Assert.Throws<InvalidOperationException>(() => connection.EnlistTransaction(first));
    }

    [Fact]
    public async Task Session_InAScope_IsTheTransactions()
    {
        var pool = CreatePool(maxPoolSize: 1);
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var connection = await pool.OpenConnectionAsync();
            await using var session = await connection.LeaseSessionAsync("in a scope");
            await session.Connection.RunAsync("INSERT INTO item VALUES (1)");
            Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
        }

        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }
}
