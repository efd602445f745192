using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

/// <summary>Connections are closed away from the caller that released them, and what waits for that all the same.</summary>
public sealed class BackgroundCloseTests
{
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Release_OfAConnectionThatIsRetired_DoesNotWaitForItsClose_AndTheSlotIsFreeAfterwards()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var close = pool.Connector.HeldClose = new TaskCompletionSource();
        var lease = pool.Acquire();

        lease.Retire(RetireReason.Broken);

        Assert.Equal((0, 1, 0), (pool.Snapshot.InUse, pool.Snapshot.Closing, pool.Snapshot.Free));
        var next = pool.Pool.AcquireAsync().AsTask();
        Assert.False(next.IsCompleted);
        pool.Connector.HeldClose = null;
        close.SetResult();
        Assert.Equal(2, pool.Connector.Opened.Count);
        (await next).Release();
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Close_WaitsForIdleConnectionsToBeClosed(bool drains)
    {
        using var pool = PoolHarness.Create().WarmUp(2);
        var held = pool.Connector.HeldClose = new TaskCompletionSource();

        var close = pool.Pool.CloseAsync(drains ? Drain : TimeSpan.Zero);

        Assert.False(close.IsCompleted);
        held.SetResult();
        Assert.True(await close);
    }

    [Fact]
    public async Task CodeBehindTheEndOfThePool_DoesNotHoldUpAClearThatWaitsForTheSameClose()
    {
        using var pool = PoolHarness.Create().WarmUp(1);
        var held = pool.Connector.HeldClose = new TaskCompletionSource();
        var clear = DedicatedThread.Run(() =>
        {
            pool.Pool.Clear();
            return true;
        });
        while (pool.Snapshot.Closing == 0)
        {
            await Task.Yield();
        }

        var end = EndAsync();
        held.SetResult();

        Assert.True(await clear);
        await end;

        async Task EndAsync()
        {
            await pool.Pool.CloseAsync(TimeSpan.Zero).ConfigureAwait(false);
            clear.Wait(); // As code that holds a lock, or joins a thread.
        }
    }

    [Fact]
    public async Task Close_WaitsAFewSecondsForACloseThatBlocks()
    {
        using var pool = PoolHarness.Create().WarmUp(1);
        var held = pool.Connector.HeldClose = new TaskCompletionSource();

        var close = pool.Pool.CloseAsync(TimeSpan.Zero);
        Assert.False(close.IsCompleted);
        pool.Time.Advance(TimeSpan.FromSeconds(5));

        Assert.True(await close);
        held.SetResult();
    }

    [Fact]
    public async Task Clear_BlocksUntilIdleConnectionsAreClosed()
    {
        using var pool = PoolHarness.Create().WarmUp(2);
        var held = pool.Connector.HeldClose = new TaskCompletionSource();

        var clear = DedicatedThread.Run(() =>
        {
            pool.Pool.Clear();
            return pool.Snapshot;
        });
        while (pool.Snapshot.Closing < 2)
        {
            await Task.Yield();
        }

        Assert.False(clear.IsCompleted);
        held.SetResult();
        Assert.Equal((0, 0), ((await clear).Closing, pool.Snapshot.Idle));
    }

    [Fact]
    public void CloseThatFails_IsLogged_AndCountsAsClosed()
    {
        using var pool = PoolHarness.Create().WarmUp(1);
        var held = pool.Connector.HeldClose = new TaskCompletionSource();
        var lease = pool.Acquire();
        lease.Retire(RetireReason.Broken);

        held.SetException(new IOException("gone"));

        Assert.Equal((0, 2), (pool.Snapshot.Closing, pool.Snapshot.Free));
        Assert.Contains(pool.Logger.Entries, entry => entry.Id.Id == 1007);
        pool.Connector.HeldClose = null;
    }
}
