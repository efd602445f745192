using System.Transactions;
using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

public sealed class PoolModeTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SessionMode_KeepsOneBackendFromOpenToClose_AndResetsIt(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 2, configure: Session);
        var connection = asynchronous ? await pool.OpenConnectionAsync() : pool.OpenConnection();
        var backend = await connection.AskAsync<int>(Sql.BackendId);
        await connection.RunAsync("SET work_mem = '77MB'; CREATE TEMP TABLE mine (id int)");
        Assert.Equal((LeaseScope.Session, "session mode"), (Assert.Single(pool.GetOldestLeases()).Scope, pool.GetOldestLeases()[0].Activity));
        await using (var other = await pool.OpenConnectionAsync())
        {
            Assert.NotEqual(backend, await other.AskAsync<int>(Sql.BackendId));
        }

        Assert.Equal("77MB", await connection.AskAsync<string>("SHOW work_mem"));
        Assert.Equal(backend, connection.Ask<int>(Sql.BackendId));
        if (asynchronous)
        {
            await connection.CloseAsync();
        }
        else
        {
            connection.Close();
        }

        await connection.OpenAsync();
        Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
        Assert.NotEqual("77MB", await connection.AskAsync<string>("SHOW work_mem"));
        Assert.True(await connection.AskAsync<bool>("SELECT to_regclass('mine') IS NULL"));
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task SessionMode_RunsTransactionsInTheSession()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: Session);
        await using var connection = await pool.OpenConnectionAsync();
        var backend = await connection.AskAsync<int>(Sql.BackendId);
        await connection.RunAsync("CREATE TEMP TABLE mine (id int)");

        await using (var transaction = await connection.BeginTransactionAsync())
        {
            Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
            await connection.RunAsync("INSERT INTO mine VALUES (1)");
            await transaction.CommitAsync();
        }

        using (connection.BeginTransaction())
        {
            connection.Run("INSERT INTO mine VALUES (2)");
        }

        Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM mine"));
    }

    [Fact]
    public async Task SessionMode_LeasesItsOwnSession()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: Session);
        await using var connection = await pool.OpenConnectionAsync();

        await using (var session = await connection.LeaseSessionAsync("same"))
        {
            Assert.Equal(session.Connection.ProcessID, await connection.AskAsync<int>(Sql.BackendId));
        }

        Assert.Equal(1, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task SessionMode_InATransactionScope_UsesOneServerConnection()
    {
        await PrepareDatabaseAsync("CREATE TABLE in_scope (id int)");
        var pool = CreatePool(maxPoolSize: 1, configure: options =>
        {
            Session(options);
            options.QueryWaitTimeout = TimeSpan.FromSeconds(5);
        });
        var backends = new List<int>();
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            for (var i = 0; i < 2; i++)
            {
                await using var connection = await pool.OpenConnectionAsync();
                await connection.RunAsync("INSERT INTO in_scope VALUES (1)");
                backends.Add(await connection.AskAsync<int>(Sql.BackendId));
            }

            scope.Complete();
        }

        Assert.Single(backends.Distinct());
        Assert.Equal(2L, await AskPlainAsync<long>("SELECT count(*) FROM in_scope"));
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task SessionMode_EnlistedExplicitly_StaysOnItsSession()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options =>
        {
            Session(options);
            options.QueryWaitTimeout = TimeSpan.FromSeconds(5);
        });
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("CREATE TEMP TABLE mine (id int)");
        using (var transaction = new CommittableTransaction())
        {
            connection.EnlistTransaction(transaction);
            await connection.RunAsync("INSERT INTO mine VALUES (1)");
            transaction.Rollback();
        }

        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM mine"));
    }

    [Fact]
    public async Task SessionMode_ClosedBeforeItsTransactionCompletes_HoldsTheSessionUntilThen()
    {
        await PrepareDatabaseAsync("CREATE TABLE closed_before (id int)");
        var pool = CreatePool(maxPoolSize: 1, configure: Session);
        using (var transaction = new CommittableTransaction())
        {
            await using (var connection = await pool.OpenConnectionAsync())
            {
                connection.EnlistTransaction(transaction);
                await connection.RunAsync("INSERT INTO closed_before VALUES (1)");
            }

            Assert.Equal(1, pool.GetSnapshot().InUse);
            transaction.Commit();
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(1L, await AskPlainAsync<long>("SELECT count(*) FROM closed_before"));
    }

    [Theory]
    [InlineData("command")]
    [InlineData("command asynchronously")]
    [InlineData("transaction")]
    [InlineData("transaction asynchronously")]
    [InlineData("session")]
    public async Task SessionMode_OpenBeyondItsScope_KeepsOneBackendAfterwards(string first)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: Session);
        var connection = pool.CreateConnection();
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await connection.OpenAsync();
            await connection.RunAsync("SELECT 1");
            scope.Complete();
        }

        const string Set = "SET work_mem = '77MB'";
        switch (first)
        {
            case "command":
                connection.Run(Set);
                break;
            case "command asynchronously":
                await connection.RunAsync(Set);
                break;
            case "transaction":
                using (var transaction = connection.BeginTransaction())
                {
                    connection.Run(Set);
                    transaction.Commit();
                }

                break;
            case "transaction asynchronously":
                await using (var transaction = await connection.BeginTransactionAsync())
                {
                    await connection.RunAsync(Set);
                    await transaction.CommitAsync();
                }

                break;
            default:
                await using (var session = await connection.LeaseSessionAsync("same"))
                {
                    await session.Connection.RunAsync(Set);
                }

                break;
        }

        Assert.Equal("77MB", await connection.AskAsync<string>("SHOW work_mem"));

        await connection.DisposeAsync();
    }

    [Fact]
    public async Task StatementMode_RefusesTransactionsAndSessions_AndNamesTheRemedy()
    {
        var pool = CreatePool(configure: options => options.PoolMode = PoolMode.Statement);
        await using var connection = await pool.OpenConnectionAsync();

        var error = Assert.Throws<StatementModeException>(() => connection.BeginTransaction());
        Assert.Contains("PoolMode.Transaction", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StatementModeException>(async () => await connection.LeaseSessionAsync("no"));
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            Assert.Throws<StatementModeException>(() => connection.EnlistTransaction(Transaction.Current));
            var second = pool.CreateConnection();
            Assert.Throws<StatementModeException>(second.Open);
            await Assert.ThrowsAsync<StatementModeException>(() => second.OpenAsync());
            Assert.Equal(System.Data.ConnectionState.Closed, second.State);
        }

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    private static void Session(TransactionPoolingOptions options) => options.PoolMode = PoolMode.Session;
}
