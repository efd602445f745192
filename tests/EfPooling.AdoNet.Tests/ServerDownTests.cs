using EfPooling.Dev;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>The server goes away and comes back. Each test has a server of its own.</summary>
public sealed class ServerDownTests
{
    [Theory]
    [InlineData(StopMode.Fast)]
    [InlineData(StopMode.Immediate)]
    public async Task Stop_FailsWhatRuns_AndTheNextUseAfterTheStartWorks(StopMode mode)
    {
        await using var server = await DevPostgres.StartAsync();
        var pool = TransactionPoolingDataSource.Create(server.ConnectionString, options =>
        {
            options.MaxPoolSize = 4;
            options.ServerLoginRetry = TimeSpan.FromMilliseconds(100);
        });
        await using var idle = await pool.OpenConnectionAsync();
        await using var running = await pool.OpenConnectionAsync();
        await using var reading = await pool.OpenConnectionAsync();
        await using var transacting = await pool.OpenConnectionAsync();
        var sleep = running.RunAsync("SELECT pg_sleep(60)");
        var reader = await reading.ReadAsync("SELECT repeat('x', 10000) FROM generate_series(1, 5000)");
        var transaction = await transacting.BeginTransactionAsync();
        await transacting.RunAsync("CREATE TABLE uncommitted (id int)");
        await server.WaitForActivityAsync(all => all.Any(backend => backend.Query.Contains("pg_sleep", StringComparison.Ordinal)), TimeSpan.FromSeconds(30));

        await server.StopAsync(mode);

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => sleep);
        await Record.ExceptionAsync(async () => await reader.DisposeAsync());
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => transacting.RunAsync("SELECT 1"));
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => idle.RunAsync("SELECT 1"));
        await using (var late = pool.CreateConnection())
        {
            await Assert.ThrowsAnyAsync<NpgsqlException>(() => late.OpenAsync());
            Assert.ThrowsAny<NpgsqlException>(late.Open);
        }

        Assert.Equal((0, 0), (pool.GetSnapshot().InUse, pool.GetSnapshot().Waiting));
        await server.StartAgainAsync();
        pool.Clear();

        Assert.Equal(1, await idle.AskAsync<int>("SELECT 1"));
        Assert.Equal(1, reading.Ask<int>("SELECT 1"));
        await Assert.ThrowsAsync<TransactionBrokenException>(() => transacting.RunAsync("SELECT 1"));
        await transaction.DisposeAsync();
        await transacting.OpenAsync();
        Assert.True(await transacting.AskAsync<bool>("SELECT to_regclass('uncommitted') IS NULL"));
        await PoolTest.VerifyWholeAsync(pool);
    }

    [Fact]
    public async Task TooManyClients_SomeCallersWait_AndEverybodyIsServed()
    {
        // Three of ten are the superuser's, who the pool logs in as; the fixture's own look-ups need some.
        await using var server = await DevPostgres.StartAsync(new DevPostgresOptions { MaxConnections = 10 });
        var pool = TransactionPoolingDataSource.Create(server.ConnectionString, options =>
        {
            options.MaxPoolSize = 20;
            options.ServerLoginRetry = TimeSpan.FromMilliseconds(50);
        });

        var ids = await Task.WhenAll(Enumerable.Range(0, 100).Select(async i =>
        {
            await using var connection = await pool.OpenConnectionAsync();
            return await connection.AskAsync<int>($"SELECT {i} FROM pg_sleep(0.02)");
        }));

        Assert.Equal(Enumerable.Range(0, 100), ids);
        var snapshot = pool.GetSnapshot();
        Assert.InRange(snapshot.ServerConnections, 1, 10);
        await PoolTest.VerifyWholeAsync(pool);
    }

    [Fact]
    public async Task TooManyClients_BeforeTheFirstConnection_SaysWhatTheServerSays_AndWorksLater()
    {
        await using var server = await DevPostgres.StartAsync(new DevPostgresOptions { MaxConnections = 5 });
        var others = new List<NpgsqlConnection>();
        while (others.Count < 5)
        {
            others.Add(new NpgsqlConnection($"{server.ConnectionString};Pooling=false"));
            await others[^1].OpenAsync();
        }

        var pool = TransactionPoolingDataSource.Create(server.ConnectionString);
        await using var connection = pool.CreateConnection();
        var error = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync());
        Assert.Equal(PostgresErrorCodes.TooManyConnections, error.SqlState);
        var backends = others.Select(other => other.ProcessID).ToHashSet();
        foreach (var other in others)
        {
            await other.DisposeAsync();
        }

        await server.WaitForActivityAsync(all => !all.Any(backend => backends.Contains(backend.ProcessId)), TimeSpan.FromSeconds(30));
        pool.Clear();
        await connection.OpenAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        await connection.CloseAsync();
        await PoolTest.VerifyWholeAsync(pool);
    }

    [Fact]
    public async Task ServerThatIsNotThere_IsReportedByNpgsql()
    {
        var pool = TransactionPoolingDataSource.Create("Host=127.0.0.1;Port=1;Username=nobody;Timeout=5");
        await using var connection = pool.CreateConnection();

        await Assert.ThrowsAsync<NpgsqlException>(() => connection.OpenAsync());
        Assert.Throws<NpgsqlException>(connection.Open);
        Assert.Equal(System.Data.ConnectionState.Closed, connection.State);
        await PoolTest.VerifyWholeAsync(pool);
    }
}
