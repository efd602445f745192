using System.Transactions;
using EfPooling.Dev;

namespace EfPooling.AdoNet.Tests;

public sealed class AmbientTransactionTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Scope_Synchronously_CommitsOrAborts(bool complete)
    {
        var pool = CreatePool(maxPoolSize: 1);
        using (var scope = new TransactionScope())
        {
            using var connection = pool.OpenConnection();
            connection.Run("INSERT INTO item VALUES (2)");
            connection.Run("UPDATE item SET id = 1");
            if (complete)
            {
                scope.Complete();
            }
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
        using var after = pool.OpenConnection();
        Assert.Equal(complete ? 1L : 0L, after.Ask<long>("SELECT count(*) FROM item"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Scope_Asynchronously_CommitsOrAborts(bool complete)
    {
        var pool = CreatePool(maxPoolSize: 1);
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var connection = await pool.OpenConnectionAsync();
            await connection.RunAsync("INSERT INTO item VALUES (1)");
            Assert.Equal("ambient transaction", Assert.Single(pool.GetOldestLeases()).Activity);
            if (complete)
            {
                scope.Complete();
            }
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(complete ? 1L : 0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Scope_SetsItsIsolationLevel()
    {
        var pool = CreatePool();
        using var scope = new TransactionScope(
            TransactionScopeOption.Required, new TransactionOptions { IsolationLevel = IsolationLevel.RepeatableRead }, TransactionScopeAsyncFlowOption.Enabled);
        await using var connection = await pool.OpenConnectionAsync();

        Assert.Equal("repeatable read", await connection.AskAsync<string>("SHOW transaction_isolation"));
    }

    [Fact]
    public async Task ConnectionsOneAfterTheOther_InOneScope_ShareOneBackend()
    {
        var pool = CreatePool(maxPoolSize: 3);
        await using var spare = await pool.OpenConnectionAsync();
        using var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        var backends = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            await using var connection = await pool.OpenConnectionAsync();
            backends.Add(await connection.AskAsync<int>(Sql.BackendId));
            await connection.RunAsync($"INSERT INTO item VALUES ({i})");
        }

        Assert.Single(backends.Distinct());
        Assert.Equal(1, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task ConnectionsOpenTogether_InOneScope_ShareOneBackendAndSeeEachOther()
    {
        var pool = CreatePool(maxPoolSize: 1);
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var first = await pool.OpenConnectionAsync();
            await using var second = await pool.OpenConnectionAsync();
            await first.RunAsync("INSERT INTO item VALUES (1)");
            Assert.Equal(1L, await second.AskAsync<long>("SELECT count(*) FROM item"));
            scope.Complete();
        }

        Assert.Equal(1L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task ScopeWithoutACommand_NeverReachesTheServer()
    {
        var pool = CreatePool();
        await using (await pool.OpenConnectionAsync())
        {
        }

        var granted = pool.GetSnapshot().LeasesGranted;
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var connection = await pool.OpenConnectionAsync();
            scope.Complete();
        }

        Assert.Equal(granted, pool.GetSnapshot().LeasesGranted);
    }

    [Fact]
    public async Task Scope_DisposedWhileItsConnectionIsOpen_GivesTheServerConnectionBack_AndTheConnectionGoesOn()
    {
        var pool = CreatePool(maxPoolSize: 1);
        var connection = pool.CreateConnection();
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await connection.OpenAsync();
            await connection.RunAsync("INSERT INTO item VALUES (1)");
            scope.Complete();
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await connection.RunAsync("INSERT INTO item VALUES (2)");
            await transaction.CommitAsync();
        }

        await connection.DisposeAsync();
    }

    [Fact]
    public async Task Scope_AbortedWhileAReaderIsOpen_HoldsTheServerConnectionUntilTheReaderIsClosed()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        using var transaction = new CommittableTransaction();
        connection.EnlistTransaction(transaction);
        await connection.RunAsync("INSERT INTO item VALUES (1)");
        var reader = await connection.ReadAsync("SELECT 1");
        Assert.True(await reader.ReadAsync());

        var aborting = Task.Run(transaction.Rollback);
        await reader.DisposeAsync();
        await aborting;

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task NestedScopes_UseOneTransaction_EvenIfTheInnerOneTouchedTheConnectionFirst()
    {
        var pool = CreatePool(maxPoolSize: 1);
        using (var outer = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            using (var inner = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
            {
                await using var first = await pool.OpenConnectionAsync();
                inner.Complete();
            }

            await using var second = await pool.OpenConnectionAsync();
            await second.RunAsync("INSERT INTO item VALUES (1)");
            outer.Complete();
        }

        Assert.Equal(1L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task SuppressedScope_DoesNotTakePart()
    {
        var pool = CreatePool();
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            using var suppressed = new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);
            await using var connection = await pool.OpenConnectionAsync();
            await connection.RunAsync("INSERT INTO item VALUES (1)");
        }

        Assert.Equal(1L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Scope_WhosePoolIsExhausted_FailsAndCanBeTriedAgain()
    {
        var time = new ManualTimeProvider();
        var pool = CreatePool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(time));
        await using var holder = await pool.OpenConnectionAsync();
        var reader = await holder.ReadAsync("SELECT 1");
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var connection = await pool.OpenConnectionAsync();
            await time.TimesOutAsync(() => connection.RunAsync("INSERT INTO item VALUES (1)"));
            await time.TimesOutAsync(() => Task.Run(() => connection.Run("INSERT INTO item VALUES (1)")));
            await reader.DisposeAsync();
            await connection.RunAsync("INSERT INTO item VALUES (1)");
            scope.Complete();
        }

        Assert.Equal(1L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Command_InAScopeThatHasAborted_IsRefused()
    {
        var pool = CreatePool(maxPoolSize: 1);
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var connection = await pool.OpenConnectionAsync();
            await connection.RunAsync("INSERT INTO item VALUES (1)");
            Transaction.Current!.Rollback();
            await Assert.ThrowsAsync<TransactionException>(() => connection.RunAsync("INSERT INTO item VALUES (2)"));
        }

        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Completion_IsAnnouncedWhenNobodyTouchesTheServerConnectionAnyMore()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var next = await pool.OpenConnectionAsync();
        LogicalTransaction? begun = null;
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var connection = await pool.OpenConnectionAsync();
            await connection.RunAsync("INSERT INTO item VALUES (1)");
            Transaction.Current!.TransactionCompleted += (_, _) =>
            {
                begun = next.BeginTransaction();
                next.Run("INSERT INTO item VALUES (2)");
            };
            scope.Complete();
        }

        await begun!.CommitAsync();
        Assert.Equal(2L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task TimeOut_WhileAStatementRuns_StopsItAndRollsBack()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        using var transaction = new CommittableTransaction(TimeSpan.FromSeconds(1));
        connection.EnlistTransaction(transaction);
        await connection.RunAsync("INSERT INTO item VALUES (1)");

        await Assert.ThrowsAsync<OperationCanceledException>(() => connection.RunAsync("SELECT pg_sleep(60)"));

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Commit_WhileAReaderIsOpen_AbortsAndTheEndOfTheReaderGivesTheServerConnectionBack()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        using var transaction = new CommittableTransaction();
        connection.EnlistTransaction(transaction);
        await connection.RunAsync("INSERT INTO item VALUES (1)");
        var reader = await connection.ReadAsync("SELECT 1");

        var error = Assert.Throws<TransactionAbortedException>(transaction.Commit);
        Assert.Contains("reader is open", error.InnerException!.Message, StringComparison.Ordinal);
        await reader.DisposeAsync();

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TwoPoolsInOneScope_CommitOrAbortTogether_WithoutFurtherConnections(bool complete)
    {
        await using var server = await DevPostgres.StartAsync(new DevPostgresOptions { Settings = { ["max_prepared_transactions"] = "2" } });
        await using var first = Local("first");
        await using var second = Local("second");
        await using (var connection = await first.OpenConnectionAsync())
        {
            await connection.RunAsync("CREATE TABLE item (id int)");
        }

        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            foreach (var pool in new[] { first, second })
            {
                await using var connection = await pool.OpenConnectionAsync();
                await connection.RunAsync("INSERT INTO item VALUES (1)");
            }

            if (complete)
            {
                scope.Complete();
            }
        }

        await using var after = await first.OpenConnectionAsync();
        Assert.Equal(complete ? 2L : 0L, await after.AskAsync<long>("SELECT count(*) FROM item"));
        Assert.Equal(0L, await after.AskAsync<long>("SELECT count(*) FROM pg_prepared_xacts"));
        Assert.Equal((0, 0), (first.GetSnapshot().InUse, second.GetSnapshot().InUse));

        TransactionPoolingDataSource Local(string name)
            => TransactionPoolingDataSource.Create($"{server.ConnectionString};Application Name={name};Maximum Pool Size=1");
    }

    [Fact]
    public async Task TwoPoolsInOneScope_OnAServerWithoutPreparedTransactions_Abort()
    {
        var (first, second) = (CreatePool(), CreatePool());
        var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled);
        foreach (var (pool, id) in new[] { (first, 1), (second, 2) })
        {
            await using var connection = await pool.OpenConnectionAsync();
            await connection.RunAsync($"INSERT INTO item VALUES ({id})");
        }

        scope.Complete();
        Assert.Throws<TransactionAbortedException>(scope.Dispose);
        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM item"));
    }
}
