using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>QueryWaitTimeout is one budget, from the opening of a connection to its first row.</summary>
public sealed class WaitBudgetTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task ColdPool_OpensManyConnections_WithoutALease()
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 2);
        var connections = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => pool.OpenConnectionAsync().AsTask()));

        Assert.Equal(0, pool.GetSnapshot().LeasesGranted);
        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(MultiplexingMode.Auto)]
    [InlineData(MultiplexingMode.Off)]
    public async Task CommandAfterAnOpenThatWaited_HasTheRestOfTheTime_AndTheNextOneAllOfIt(MultiplexingMode multiplexing)
    {
        var time = new ManualTimeProvider();
        var login = new ManualResetEventSlim();
        var keywords = new NpgsqlConnectionStringBuilder(ConnectionString) { ApplicationName = $"wait budget {multiplexing}" };
        var password = keywords.Password!;
        keywords.Remove("Password");
        var pool = Watch(new TransactionPoolingDataSourceBuilder(keywords.ConnectionString)
            .UseTimeProvider(time)
            .ConfigureOptions(options => (options.MaxPoolSize, options.QueryWaitTimeout, options.Multiplexing, options.Shuffle) = (1, TimeSpan.FromSeconds(10), multiplexing, false))
            .ConfigureNpgsql(npgsql => npgsql.UsePasswordProvider(
                _ =>
                {
                    login.Wait();
                    return password;
                },
                (_, _) => throw new NotSupportedException()))
            .Build());
        var (opening, other) = (pool.OpenConnectionAsync().AsTask(), pool.OpenConnectionAsync().AsTask());
        time.Advance(TimeSpan.FromSeconds(6));
        login.Set();
        await using var connection = await opening;
        await using var occupying = await other;
        await using (await occupying.ReadAsync("SELECT generate_series(1, 3)"))
        {
            var first = connection.AskAsync<int>("SELECT 1");
            time.Advance(TimeSpan.FromSeconds(4));
            await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => first);

            var second = connection.AskAsync<int>("SELECT 1");
            time.Advance(TimeSpan.FromSeconds(9));
            Assert.False(second.IsCompleted);
            time.Advance(TimeSpan.FromSeconds(1));
            await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => second);
        }
    }
}
