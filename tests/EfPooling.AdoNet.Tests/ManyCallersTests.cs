using System.Data.Common;
using System.Diagnostics;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>The scenario that the product was made for: many callers who hold a connection much longer than they use it.</summary>
public sealed class ManyCallersTests(ServerFixture fixture, ITestOutputHelper output) : PoolTest(fixture)
{
    private const int Callers = 500;
    private const int ServerConnections = 10;

    private static readonly TimeSpan Hold = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task Callers500_WhoHoldTheirConnections_AreServedByTenServerConnections()
    {
        var pool = CreateUnshuffledPool(maxPoolSize: ServerConnections);
        var pooled = new Stopwatch();
        pooled.Start();
        var callers = Task.WhenAll(Enumerable.Range(0, Callers).Select(i => CallAsync(pool, i)));
        var most = 0;
        while (!callers.IsCompleted)
        {
            most = Math.Max(most, (await BackendsOfAsync(pool)).Count);
        }

        await callers;
        pooled.Stop();

        await using var plain = NpgsqlDataSource.Create($"{ConnectionString};Application Name=plain callers;Maximum Pool Size={ServerConnections};Timeout=60");
        var unpooled = new Stopwatch();
        unpooled.Start();
        await Task.WhenAll(Enumerable.Range(0, Callers).Select(i => CallAsync(plain, i)));
        unpooled.Stop();

        Assert.InRange(most, 1, ServerConnections);
        Assert.InRange(pool.GetSnapshot().Opened, 1, ServerConnections);
        Assert.Equal(0, pool.GetSnapshot().WaitTimeouts);

        // Fifty callers in turn on each connection of the plain pool hold it for longer than this, whatever the machine does.
        Assert.True(unpooled.Elapsed > Callers / ServerConnections * Hold * 0.9, $"Plain Npgsql took {unpooled.Elapsed} only.");
        output.WriteLine(
            $"{Callers} callers hold {Hold.TotalMilliseconds} ms on {ServerConnections} server connections: {pooled.ElapsedMilliseconds} ms here, "
            + $"{unpooled.ElapsedMilliseconds} ms with plain Npgsql ({unpooled.Elapsed / pooled.Elapsed:0.0} times as long; holding alone makes {Callers / ServerConnections * Hold.TotalMilliseconds} ms).");
    }

    private static async Task CallAsync(DbDataSource source, int id)
    {
        await using var connection = await source.OpenConnectionAsync();
        Assert.Equal(id, await connection.AskAsync<int>($"SELECT {id}"));
        await Task.Delay(Hold); // The scenario: the application is busy with something else.
        Assert.Equal(-id, await connection.AskAsync<int>($"SELECT {-id}"));
    }
}
