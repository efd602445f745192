using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A killed server connection fails exactly the operation on it; nothing hangs and the pool mends itself.</summary>
public sealed class KilledBackendTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Fact]
    public async Task WhileIdle_TheNextCommandFails_AndTheOneAfterItWorks()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.ServerCheckDelay = Timeout.InfiniteTimeSpan);
        await using var connection = await pool.OpenConnectionAsync();
        await KillAsync(await connection.AskAsync<int>(Sql.BackendId));

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.RunAsync("SELECT 1"));

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Broken]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhileIdle_WithChecks_NobodyNotices(bool asynchronous)
    {
        var log = new CapturedLog();
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.ServerCheckDelay = TimeSpan.Zero, build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();
        await KillAsync(await connection.AskAsync<int>(Sql.BackendId));

        Assert.Equal(1, asynchronous ? await connection.AskAsync<int>("SELECT 1") : connection.Ask<int>("SELECT 1"));

        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.FailedCheck]);
        Assert.Equal(1, log.Count(1100));
    }

    [Fact]
    public async Task OneOfSeveral_MakesThePoolCheckThoseThatWereIdleMeanwhile()
    {
        var pool = CreatePool(maxPoolSize: 3, configure: options => options.ServerCheckDelay = Timeout.InfiniteTimeSpan);
        var connections = new List<LogicalConnection>();
        for (var i = 0; i < 3; i++)
        {
            connections.Add(await pool.OpenConnectionAsync());
            await connections[i].BeginTransactionAsync();
            await connections[i].RunAsync("SELECT 1");
        }

        foreach (var backend in await BackendsOfAsync(pool))
        {
            await KillAsync(backend.ProcessId);
        }

        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        await using var next = await pool.OpenConnectionAsync();
        Assert.Equal(1, await next.AskAsync<int>("SELECT 1"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InACommand_ThatCommandFails(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var running = asynchronous ? connection.RunAsync("SELECT pg_sleep(60)") : Task.Run(() => connection.Run("SELECT pg_sleep(60)"));
        await KillAsync(await WaitForQueryAsync(pool, "pg_sleep"));

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => running);

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Broken]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InAReader_ThatReaderFails_AndItsCommandCanRunAgain(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT pg_backend_pid(), repeat('x', 10000) FROM generate_series(1, 5000)", connection);
        var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        await KillAsync(reader.GetInt32(0));

        await Assert.ThrowsAnyAsync<NpgsqlException>(async () =>
        {
            while (asynchronous ? await reader.ReadAsync() : reader.Read())
            {
            }
        });
        await reader.DisposeAsync();

        command.CommandText += " LIMIT 1";
        Assert.IsType<int>(await command.ExecuteScalarAsync());
        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Broken]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task InAReader_ThatIsClosedUnread_TheNextOwnerDoesNotNotice(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT pg_backend_pid(), repeat('x', 10000) FROM generate_series(1, 5000)", connection);
        var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        await KillAsync(reader.GetInt32(0));

        await Record.ExceptionAsync(async () =>
        {
            if (asynchronous)
            {
                await reader.DisposeAsync();
            }
            else
            {
                reader.Dispose();
            }
        });

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        command.CommandText += " LIMIT 1";
        Assert.IsType<int>(await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task InASession_TheSessionFails_AndTheNextOneWorks()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("to be killed"))
        {
            await KillAsync(session.Connection.ProcessID);
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.RunAsync("SELECT 1"));
            await Assert.ThrowsAsync<SessionLostException>(() => connection.RunAsync("SELECT 1"));
        }

        await connection.OpenAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task DuringAReset_TheNextOwnerGetsAnother()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("killed before it is reset"))
        {
            await KillAsync(session.Connection.ProcessID);
        }

        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Broken]);
        using (var session = await connection.LeaseSessionAsync("killed before it is reset, synchronously"))
        {
            await KillAsync(session.Connection.ProcessID);
        }

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    private async Task KillAsync(int backend) => Assert.True(await Server.TerminateBackendAsync(backend));
}
