using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

public sealed class DisableTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task DisabledPool_RefusesOpensAndStatements_AndRunningTransactionsGoOn()
    {
        var pool = CreateUnshuffledPool();
        await using var other = await pool.OpenConnectionAsync();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));

        pool.Disable();
        await Assert.ThrowsAsync<PoolDisabledException>(() => pool.OpenConnectionAsync().AsTask());
        Assert.Throws<PoolDisabledException>(() => pool.OpenConnection());
        await Assert.ThrowsAsync<PoolDisabledException>(() => other.AskAsync<int>("SELECT 1"));
        Assert.Throws<PoolDisabledException>(() => other.Ask<int>("SELECT 1"));
        Assert.Equal(2, await connection.AskAsync<int>("SELECT 2"));
        var drain = pool.DrainAsync(TestContext.Current.CancellationToken);
        Assert.False(drain.IsCompleted);
        await transaction.CommitAsync();
        await drain;

        Assert.True(pool.Enable());
        Assert.Equal(3, await other.AskAsync<int>("SELECT 3"));
    }

    [Fact]
    public async Task Drain_UnderLoad_FinishesEverythingThatHasBegun()
    {
        var pool = CreateUnshuffledPool(maxPoolSize: 3);
        var (served, refused) = (0, 0);
        var callers = Enumerable.Range(0, 60).Select(_ => Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    await using var connection = await pool.OpenConnectionAsync();
                    Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
                    Interlocked.Increment(ref served);
                }
            }
            catch (PoolDisabledException)
            {
                Interlocked.Increment(ref refused); // The only failure there may be.
            }
        })).ToList();
        while (Volatile.Read(ref served) < 200)
        {
            await Task.Yield();
        }

        await pool.DrainAsync();
        await Task.WhenAll(callers);
        Assert.Equal(60, refused);
        pool.WaitForBatches();
        Assert.True(pool.GetSnapshot() is { InUse: 0, Waiting: 0, IsDisabled: true });
        pool.Enable();
    }
}
