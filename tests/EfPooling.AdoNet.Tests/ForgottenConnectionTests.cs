using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A firewall has forgotten what was idle: what is sent goes nowhere, and new connections work.</summary>
public sealed class ForgottenConnectionTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task FirstCallerAfterwards_WaitsForOneCheck_AndGetsANewConnection(bool isAsync)
    {
        var time = new ManualTimeProvider();
        var server = new NpgsqlConnectionStringBuilder(ConnectionString);
        var relay = new Relay(server.Host!, server.Port);
        var pool = CreateUnshuffledPool(maxPoolSize: 4, keywords: $"Host=127.0.0.1;Port={relay.Port}", build: builder => builder.UseTimeProvider(time));
        await using (var first = await pool.OpenConnectionAsync())
        {
            await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
            {
                await using var connection = await pool.OpenConnectionAsync();
                await using var transaction = await connection.BeginTransactionAsync();
                await connection.RunAsync("SELECT pg_sleep(0.2)");
            }));
        }

        var idle = pool.GetSnapshot().Idle;
        time.Advance(TimeSpan.FromMinutes(1));
        relay.FreezeConnections();

        var checking = time.NextTimer();
        var asking = isAsync ? AskAsync(pool) : Task.Factory.StartNew(() => Ask(pool), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await checking;
        time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(1, await asking);
        Assert.InRange(idle, 2, 4);
        Assert.Equal((1, 1), (pool.GetSnapshot().Idle, pool.GetSnapshot().InUse)); // The check that nobody waits for any more.
        await relay.DisposeAsync(); // Ends it.
        while (pool.GetSnapshot().InUse > 0)
        {
            await Task.Yield();
        }

        Assert.Equal(idle, pool.GetSnapshot().Retired[Core.RetireReason.FailedCheck]);
    }

    private static async Task<int> AskAsync(TransactionPoolingDataSource pool)
    {
        await using var connection = await pool.OpenConnectionAsync();
        return await connection.AskAsync<int>("SELECT 1");
    }

    private static int Ask(TransactionPoolingDataSource pool)
    {
        using var connection = pool.OpenConnection();
        return connection.Ask<int>("SELECT 1");
    }
}
