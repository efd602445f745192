using Npgsql;

namespace EfPooling.AdoNet.Tests;

public sealed class CancellationTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Token_CancelledBefore_NothingIsSent()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        var granted = pool.GetSnapshot().LeasesGranted;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connection.RunAsync("SELECT 1", new CancellationToken(canceled: true)));

        Assert.Equal(granted, pool.GetSnapshot().LeasesGranted);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task Token_CancelledDuringACommand_StopsIt_AndTheServerConnectionIsUsedAgain()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var backend = await connection.AskAsync<int>(Sql.BackendId);
        using var cancellation = new CancellationTokenSource();
        var running = connection.RunAsync("SELECT pg_sleep(60)", cancellation.Token);
        await WaitForQueryAsync(pool, "pg_sleep");

        await cancellation.CancelAsync();

        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.IsType<PostgresException>(error.InnerException);
        Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
    }

    [Fact]
    public async Task Token_CancelledWhileReading_StopsTheReader()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        using var cancellation = new CancellationTokenSource();
        await using var command = new LogicalCommand("SELECT i, pg_sleep(CASE WHEN i = 5000 THEN 60 ELSE 0 END) FROM generate_series(1, 10000) i", connection);
        await using (var reader = await command.ExecuteReaderAsync(cancellation.Token))
        {
            Assert.True(await reader.ReadAsync(cancellation.Token));
            var reading = Task.Run(async () =>
            {
                while (await reader.ReadAsync(cancellation.Token))
                {
                }
            });
            await WaitForQueryAsync(pool, "pg_sleep");
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        }

        Assert.Equal((0, 1L), (pool.GetSnapshot().InUse, pool.GetSnapshot().Opened));
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task Token_CancelledAfterTheFirstRow_ChecksTheServerConnectionBeforeTheNextOwner()
    {
        var log = new CapturedLog();
        var pool = CreateUnshuffledPool(maxPoolSize: 1, build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();
        using var cancellation = new CancellationTokenSource();
        await using var command = new LogicalCommand("SELECT generate_series(1, 3)", connection);
        await using (var reader = await command.ExecuteReaderAsync(cancellation.Token))
        {
            await reader.ReadAsync(cancellation.Token);
            await cancellation.CancelAsync();
            await Record.ExceptionAsync(() => reader.ReadAsync(cancellation.Token));
        }

        Assert.Equal(2, log.Commands.Count());
        Assert.Contains("SELECT 1", log.Commands.Last(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Cancel_FromAnotherThread_StopsTheCommand(bool batch)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT pg_sleep(60)", connection);
        await using var commands = connection.CreateBatch();
        commands.BatchCommands.Add(new NpgsqlBatchCommand("SELECT pg_sleep(60)"));
        var running = Task.Run(() => batch ? commands.ExecuteNonQuery() : command.ExecuteNonQuery());
        await WaitForQueryAsync(pool, "pg_sleep");

        if (batch)
        {
            commands.Cancel();
        }
        else
        {
            command.Cancel();
        }

        var error = await Assert.ThrowsAnyAsync<Exception>(() => running);
        Assert.Equal(PostgresErrorCodes.QueryCanceled, (error as PostgresException ?? (PostgresException)error.InnerException!).SqlState);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task Cancel_OfWhatDoesNotRun_DoesNothing()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT 1", connection);
        command.Cancel();
        await command.ExecuteNonQueryAsync();
        command.Cancel();
        await using var other = await pool.OpenConnectionAsync();
        await using var reader = await other.ReadAsync("SELECT generate_series(1, 2)");

        command.Cancel();

        Assert.True(await reader.ReadAsync());
        Assert.True(await reader.ReadAsync());
    }

    [Fact]
    public async Task LateCancels_NeverHitTheNextOwner()
    {
        var pool = CreatePool(maxPoolSize: 2);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            for (var i = 0; i < 50; i++)
            {
                await using var connection = await pool.OpenConnectionAsync();
                using var cancellation = new CancellationTokenSource();
                var running = connection.RunAsync("SELECT 1", cancellation.Token);
                await cancellation.CancelAsync();
                await Record.ExceptionAsync(() => running);
                Assert.Equal(i, await connection.AskAsync<int>($"SELECT {i}"));
            }
        }));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task CommandTimeout_StopsTheCommand_AndTheServerConnectionIsUsedAgain(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1, keywords: "Command Timeout=1");
        await using var connection = await pool.OpenConnectionAsync();
        var backend = await connection.AskAsync<int>(Sql.BackendId);

        var error = await Assert.ThrowsAsync<NpgsqlException>(async () =>
            _ = asynchronous ? await connection.RunAsync("SELECT pg_sleep(60)") : connection.Run("SELECT pg_sleep(60)"));

        Assert.IsType<TimeoutException>(error.InnerException);
        Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
    }

    [Fact]
    public async Task CommandTimeout_InATransaction_LeavesARollback()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new LogicalCommand("SELECT pg_sleep(60)", connection) { CommandTimeout = 1 };

        await Assert.ThrowsAsync<NpgsqlException>(() => command.ExecuteNonQueryAsync());
        var error = await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync("SELECT 1"));
        Assert.Equal(PostgresErrorCodes.InFailedSqlTransaction, error.SqlState);
        await transaction.RollbackAsync();

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task CommandTimeout_WhoseCancelIsNotHeard_ClosesTheServerConnection()
    {
        var pool = CreatePool(maxPoolSize: 1, keywords: "Command Timeout=1;Cancellation Timeout=-1");
        await using var connection = await pool.OpenConnectionAsync();

        await Assert.ThrowsAsync<NpgsqlException>(() => connection.RunAsync("SELECT pg_sleep(2)"));

        Assert.Equal(1, pool.GetSnapshot().Retired[Core.RetireReason.Broken]);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }
}
