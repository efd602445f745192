using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

/// <summary>A paused pool has no server connection and grants no lease; whoever comes waits.</summary>
public sealed class PauseTests
{
    [Fact]
    public async Task Pause_ClosesIdleConnections_AndWaitsForLeases()
    {
        using var pool = PoolHarness.Create().WarmUp(2);
        var lease = pool.Acquire();
        var pause = pool.Pool.PauseAsync();
        Assert.Single(pool.Connector.Closed);
        Assert.False(pause.IsCompleted);
        Assert.True(lease.IsActive);
        lease.Release();
        await pause;
        Assert.Equal(0, pool.Connector.OpenNow);
        Assert.Equal(2, pool.Snapshot.Retired[RetireReason.Paused]);
        Assert.True(pool.Pool.Resume());
    }

    [Theory, InlineData(CallerKind.Async), InlineData(CallerKind.Sync)]
    public async Task Callers_WaitWhilePaused_AndGoOnInTheirOrder(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        await pool.Pool.PauseAsync();
        var first = pool.Acquire(kind);
        var second = pool.Acquire(kind);
        Assert.Equal((0, 2), (pool.Connector.Attempts, pool.Snapshot.Waiting));
        Assert.True(pool.Pool.Resume());
        (await first).Release();
        (await second).Release();
        Assert.Equal(1, pool.Connector.Attempts);
    }

    [Fact]
    public async Task CallerThatWaitedBefore_IsNotServedByALeaseThatComesBack()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var lease = pool.Acquire();
        var waiting = pool.Acquire(CallerKind.Async);
        var pause = pool.Pool.PauseAsync();
        lease.Release();
        await pause;
        Assert.False(waiting.IsCompleted);
        pool.Pool.Resume();
        (await waiting).Release();
    }

    [Theory, InlineData(CallerKind.Async), InlineData(CallerKind.Sync)]
    public async Task QueryWaitTimeout_RunsWhilePaused_AndSaysSo(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.QueryWaitTimeout = TimeSpan.FromSeconds(3));
        await pool.Pool.PauseAsync();
        var waiting = pool.Acquire(kind);
        pool.Time.Advance(TimeSpan.FromSeconds(3));
        var error = await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => waiting);
        Assert.Contains("The pool is paused", error.Message, StringComparison.Ordinal);
        Assert.True(error.Snapshot.IsPaused);
        pool.Pool.Resume();
    }

    [Fact]
    public async Task OpenThatIsUnderWay_IsWaitedFor_AndClosed()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        var pause = pool.Pool.PauseAsync();
        Assert.False(pause.IsCompleted);
        var outdated = pool.Connector.Pending.Single().Succeed();
        await pause;
        Assert.Equal(1, outdated.TimesClosed);
        Assert.False(caller.IsCompleted);
        pool.Pool.Resume();
        pool.Connector.Pending.Single().Succeed();
        (await caller).Release();
    }

    [Fact]
    public async Task OpenThatFailsWhilePaused_RefusesNobody()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        var pause = pool.Pool.PauseAsync();
        pool.Connector.Pending.Single().Fail(new InvalidOperationException("the server restarts"));
        await pause;
        Assert.False(caller.IsCompleted);
        pool.Pool.Resume();
        pool.Connector.Pending.Single().Succeed();
        (await caller).Release();
    }

    [Fact]
    public async Task Pause_WaitsForClosesUnderWay()
    {
        using var pool = PoolHarness.Create().WarmUp(1);
        pool.Connector.HeldClose = new TaskCompletionSource();
        var pause = pool.Pool.PauseAsync();
        Assert.False(pause.IsCompleted);
        pool.Connector.HeldClose.SetResult();
        await pause;
        pool.Pool.Resume();
    }

    [Fact]
    public async Task MinPoolSize_IsNotFilledWhilePaused_ButAfterIt()
    {
        using var pool = PoolHarness.Create(o => o.MinPoolSize = 2);
        pool.Acquire().Release();
        await pool.Pool.PauseAsync();
        pool.Time.Advance(TimeSpan.FromHours(2));
        pool.Pool.Clear();
        Assert.Equal(0, pool.Connector.OpenNow);
        pool.Pool.Resume();
        Assert.Equal(2, pool.Snapshot.Idle);
    }

    [Fact]
    public async Task Pause_WhilePaused_WaitsForTheSame()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        var first = pool.Pool.PauseAsync();
        var second = pool.Pool.PauseAsync();
        Assert.False(first.IsCompleted || second.IsCompleted);
        lease.Release();
        await first;
        await second;
        await pool.Pool.PauseAsync();
        Assert.True(pool.Pool.Resume());
        Assert.False(pool.Pool.Resume());
    }

    [Fact]
    public async Task CancelledPause_LetsThePoolGoOn()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var lease = pool.Acquire();
        using var cancellation = new CancellationTokenSource();
        var pause = pool.Pool.PauseAsync(cancellation.Token);
        var waiting = pool.Acquire(CallerKind.Async);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pause);
        Assert.False(pool.Snapshot.IsPaused);
        lease.Release();
        (await waiting).Release();
        Assert.Equal(1, pool.Connector.Attempts);
    }

    [Fact]
    public async Task CancelledPause_StaysInForceForAnotherCallThatWaits()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        using var cancellation = new CancellationTokenSource();
        var first = pool.Pool.PauseAsync(cancellation.Token);
        var second = pool.Pool.PauseAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.True(pool.Snapshot.IsPaused);
        lease.Release();
        await second;
        pool.Pool.Resume();
    }

    [Fact]
    public async Task CancellationAfterThePauseWasReached_ChangesNothing()
    {
        using var pool = PoolHarness.Create();
        using var cancellation = new CancellationTokenSource();
        await pool.Pool.PauseAsync(cancellation.Token);
        await cancellation.CancelAsync();
        Assert.True(pool.Snapshot.IsPaused);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pool.Pool.PauseAsync(cancellation.Token));
        Assert.True(pool.Pool.Resume());
    }

    [Fact]
    public async Task Resume_BeforeThePauseIsReached_EndsTheWaitAsCancelled()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        var pause = pool.Pool.PauseAsync();
        pool.Pool.Resume();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pause);
        lease.Release();
        Assert.Equal(1, pool.Connector.OpenNow);
    }

    [Fact]
    public async Task Close_OfAPausedPool_RefusesWaiters_AndNothingIsOpened()
    {
        using var pool = PoolHarness.Create();
        await pool.Pool.PauseAsync();
        var waiting = pool.Acquire(CallerKind.Async);
        Assert.True(await pool.Pool.CloseAsync(Timeout.InfiniteTimeSpan));
        await Assert.ThrowsAsync<PoolClosedException>(() => waiting);
        Assert.False(pool.Pool.Resume());
        await Assert.ThrowsAsync<PoolClosedException>(() => pool.Pool.PauseAsync());
        Assert.Equal(0, pool.Connector.Attempts);
    }

    [Fact]
    public async Task Close_DuringAPause_EndsItsWait_AndDrains()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        var pause = pool.Pool.PauseAsync();
        var close = pool.Pool.CloseAsync(Timeout.InfiniteTimeSpan);
        await Assert.ThrowsAsync<PoolClosedException>(() => pause);
        Assert.False(close.IsCompleted);
        lease.Release();
        Assert.True(await close);
    }

    [Fact]
    public async Task Open_OfALogicalConnection_WaitsForTheResumption()
    {
        using var pool = PoolHarness.Create().WarmUp(1);
        await pool.Pool.PauseAsync();
        var open = pool.Pool.EnsureReachableAsync().AsTask();
        Assert.False(open.IsCompleted);
        pool.Pool.Resume();
        await open;
    }

    [Fact]
    public async Task PausedPool_IsNotPutAtRest()
    {
        using var pool = PoolHarness.Create();
        await pool.Pool.PauseAsync();
        Assert.False(pool.Pool.TryRest());
        pool.Pool.Resume();
        Assert.True(pool.Pool.TryRest());
    }

    [Fact]
    public async Task Resume_EndsAPauseAfterFailedLogins()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.OpenError = new InvalidOperationException("down");
        await Record.ExceptionAsync(() => pool.Acquire(CallerKind.Async));
        await pool.Pool.PauseAsync();
        var waiting = pool.Acquire(CallerKind.Async);
        Assert.False(waiting.IsCompleted);
        pool.Connector.OpenError = null;
        pool.Pool.Resume();
        (await waiting).Release();
    }
}
