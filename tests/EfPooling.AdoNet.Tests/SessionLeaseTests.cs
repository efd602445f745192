using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

public sealed class SessionLeaseTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Fact]
    public async Task Session_IsNamedInDiagnostics()
    {
        var log = new CapturedLog();
        var pool = CreatePool(build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();

        await using var session = await connection.LeaseSessionAsync("nightly import");

        Assert.Equal("nightly import", session.Reason);
        var lease = Assert.Single(pool.GetOldestLeases());
        Assert.Equal((LeaseScope.Session, "nightly import"), (lease.Scope, lease.Activity));
        Assert.Contains(log.Texts, text => text.Contains("session of its own (SessionLease): nightly import", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Session_CopiesIn()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("COPY"))
        {
            await using var importer = await session.Connection.BeginBinaryImportAsync("COPY item FROM STDIN (FORMAT BINARY)");
            for (var id = 0; id < 100; id++)
            {
                await importer.StartRowAsync();
                await importer.WriteAsync(id);
            }

            await importer.CompleteAsync();
        }

        Assert.Equal(100L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task Session_ReceivesNotifications_AndTheNextOwnerDoesNotListen()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("LISTEN"))
        {
            var received = new TaskCompletionSource<string>();
            session.Connection.Notification += (_, notification) => received.TrySetResult(notification.Payload);
            await connection.RunAsync("LISTEN news");
            await PrepareDatabaseAsync("NOTIFY news, 'hello'");

            await session.Connection.WaitAsync();

            Assert.Equal("hello", await received.Task);
        }

        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM pg_listening_channels()"));
    }

    [Fact]
    public async Task Session_SeesItsTemporaryTable_AndTheNextOwnerDoesNot()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var backend = await connection.AskAsync<int>(Sql.BackendId);
        await using (await connection.LeaseSessionAsync("temporary table"))
        {
            await connection.RunAsync("CREATE TEMP TABLE mine (id int)");
            await connection.RunAsync("INSERT INTO mine VALUES (1)");
            await connection.RunAsync("SET work_mem = '77MB'");
            await connection.RunAsync("SELECT pg_advisory_lock(1)");
            Assert.Equal(1, await connection.AskAsync<int>("SELECT id FROM mine"));
            Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
        }

        Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
        Assert.True(await connection.AskAsync<bool>("SELECT to_regclass('mine') IS NULL"));
        Assert.Equal("77MB", await connection.AskAsync<string>("SHOW work_mem")); // Settings follow their connection.
        await using var next = await pool.OpenConnectionAsync();
        Assert.NotEqual("77MB", await next.AskAsync<string>("SHOW work_mem"));
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"));
    }

    [Fact]
    public async Task Session_InATransaction_IsTheTransactions()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("INSERT INTO item VALUES (1)");

        var session = await connection.LeaseSessionAsync("COPY in a transaction");
        await using (var writer = await session.Connection.BeginTextImportAsync("COPY item FROM STDIN"))
        {
            await writer.WriteAsync("2\n");
        }

        await session.DisposeAsync();
        Assert.Equal(2L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
        await transaction.RollbackAsync();

        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Session_InASession_SharesIt()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var outer = await connection.LeaseSessionAsync("outer");

        await using (var inner = await connection.LeaseSessionAsync("inner"))
        {
            Assert.Same(outer.Connection, inner.Connection);
        }

        Assert.Equal(1, await outer.Connection.AskAsync<int>("SELECT 1"));
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task Transaction_InASessionThatIsInOneAlready_IsRefused()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var session = await connection.LeaseSessionAsync("BEGIN as text");
        await connection.RunAsync("BEGIN");
        await using (await connection.BeginTransactionAsync())
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => connection.RunAsync("SELECT 1"));
        }

        await connection.RunAsync("COMMIT");
        await using var transaction = await connection.BeginTransactionAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task Session_WhileAReaderIsOpen_IsRefused()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync("SELECT 1");

        await Assert.ThrowsAsync<ConcurrentUseException>(async () => await connection.LeaseSessionAsync("second"));
        await Assert.ThrowsAsync<ArgumentException>(async () => await connection.LeaseSessionAsync(" "));
    }

    [Fact]
    public async Task Session_OfAnExhaustedPool_IsCancelledWithItsToken()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var holder = await pool.OpenConnectionAsync();
        await using var reader = await holder.ReadAsync("SELECT 1");
        await using var connection = await pool.OpenConnectionAsync();
        using var cancellation = new CancellationTokenSource();

        var waiting = connection.LeaseSessionAsync("later", cancellation.Token).AsTask();
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
