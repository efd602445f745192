using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

public sealed class ReconnectTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory, InlineData(0), InlineData(1_500)]
    public async Task Reconnect_UnderLoad_ReplacesEveryServerProcess_AndNobodyFails(int milliseconds)
    {
        await PrepareDatabaseAsync(Workload.Table);
        var pool = CreateUnshuffledPool(maxPoolSize: 6);
        var work = Workload.Start(pool, callers: 60);
        for (var round = 0; round < 3; round++)
        {
            await work.AdvanceAsync(300);
            var old = (await BackendsOfAsync(pool)).Select(backend => backend.ProcessId).ToHashSet();
            Assert.NotEmpty(old);
            pool.Reconnect(TimeSpan.FromMilliseconds(milliseconds));
            while (pool.GetSnapshot().Outdated > 0)
            {
                await work.AdvanceAsync(1);
            }

            await WaitForBackendsAsync(pool, backends => !backends.Any(backend => old.Contains(backend.ProcessId)));
        }

        await work.StopAsync();
        Assert.True(pool.GetSnapshot().Retired[RetireReason.Reconnected] >= 3);
        Assert.Equal(0, pool.GetSnapshot().WaitTimeouts);
    }

    [Fact]
    public async Task SessionAndTransaction_KeepTheirServerConnection_UntilTheyEnd()
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 4);
        await using var connection = await pool.OpenConnectionAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using var session = await other.LeaseSessionAsync("holds a session");
        await using var transaction = await connection.BeginTransactionAsync();
        var process = await connection.AskAsync<int>(Sql.BackendId);
        var ofSession = await session.Connection.AskAsync<int>(Sql.BackendId);
        pool.Reconnect(TimeSpan.Zero);
        Assert.Equal(process, await connection.AskAsync<int>(Sql.BackendId));
        await transaction.CommitAsync();
        await WaitForBackendsAsync(pool, backends => backends.All(backend => backend.ProcessId != process));
        Assert.Equal(ofSession, await session.Connection.AskAsync<int>(Sql.BackendId));
        Assert.Equal(1, pool.GetSnapshot().Outdated);
        await session.DisposeAsync();
        await WaitForBackendsAsync(pool, backends => backends.All(backend => backend.ProcessId != ofSession));
    }

    [Fact]
    public async Task IdlePool_IsReplacedOneAfterTheOther()
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 4, configure: options => options.MinPoolSize = 4);
        await pool.WarmUpAsync();
        var old = (await WaitForBackendsAsync(pool, backends => backends.Count == 4)).Select(backend => backend.ProcessId).ToHashSet();
        pool.Reconnect(TimeSpan.FromSeconds(1));
        var least = 4;
        await WaitForBackendsAsync(pool, backends =>
        {
            least = Math.Min(least, pool.GetSnapshot().Idle);
            return backends.Count == 4 && !backends.Any(backend => old.Contains(backend.ProcessId));
        });
        Assert.InRange(least, 3, 4);
        Assert.Equal(8, pool.GetSnapshot().Opened);
    }
}
