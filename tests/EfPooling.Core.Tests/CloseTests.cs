using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class CloseTests
{
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(10);

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_FromAClosedPool_SaysSo(CallerKind kind)
    {
        using var pool = PoolHarness.Create();
        await pool.Pool.DisposeAsync();
        var error = await Assert.ThrowsAsync<PoolClosedException>(() => pool.Acquire(kind));
        Assert.Contains("Pool 'orders' is closed", error.Message, StringComparison.Ordinal);
        Assert.Throws<PoolClosedException>(() => pool.Pool.EnsureReachable());
    }

    [Fact]
    public async Task Close_WithNothingOut_ClosesWarmConnectionsAtOnce()
    {
        using var pool = PoolHarness.Create().WarmUp(2);
        Assert.True(await pool.Pool.CloseAsync(Drain));
        Assert.Equal(2, pool.Snapshot.Retired[RetireReason.PoolClosed]);
        Assert.Equal(PoolPhase.Closed, pool.Snapshot.Phase);
    }

    [Fact]
    public async Task Close_WaitsForLeases()
    {
        using var pool = PoolHarness.Create().Occupy(1);
        var close = pool.Pool.CloseAsync(Drain);
        Assert.False(close.IsCompleted);
        Assert.Equal(PoolPhase.Draining, pool.Snapshot.Phase);
        pool.Vacate();
        Assert.True(await close);
        Assert.Equal(0, pool.Connector.OpenNow);
    }

    [Fact]
    public async Task Close_AdmitsNobodyNew_ButServesWhoeverWaits()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1).Occupy(1);
        var waiting = pool.Acquire(CallerKind.Async);
        var close = pool.Pool.CloseAsync(Drain);
        await Assert.ThrowsAsync<PoolClosedException>(() => pool.Acquire(CallerKind.Async));
        pool.Vacate();
        (await waiting).Release();
        Assert.True(await close);
    }

    [Fact]
    public async Task Close_ServesWhoeverHasWaitedElsewhere()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1).Occupy(1);
        var began = pool.Pool.Now;
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        var close = pool.Pool.CloseAsync(Drain);
        var waiting = pool.Pool.AcquireAsync(null, began, CancellationToken.None);
        await Assert.ThrowsAsync<PoolClosedException>(async () => await pool.Pool.AcquireAsync(null, pool.Pool.Now, CancellationToken.None));
        pool.Vacate();
        (await waiting).Release();
        Assert.True(await close);
    }

    [Fact]
    public async Task Close_OpensForWaiters_WhenTheirConnectionBreaksMeanwhile()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var lease = pool.Acquire();
        var waiting = pool.Acquire(CallerKind.Async);
        var close = pool.Pool.CloseAsync(Drain);
        lease.Retire(RetireReason.Broken);
        (await waiting).Release();
        Assert.True(await close);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Close_AfterTheDrainTime_RefusesWaiters_AndLeavesLeasesToTheirHolders(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var lease = pool.Acquire();
        var waiting = pool.Acquire(kind);
        var close = pool.Pool.CloseAsync(Drain);
        pool.Time.Advance(Drain);
        Assert.False(await close);
        await Assert.ThrowsAsync<PoolClosedException>(() => waiting);
        Assert.True(lease.IsActive);
        Assert.Equal(1, pool.Connector.OpenNow);
        lease.Release();
        Assert.Equal(0, pool.Connector.OpenNow);
    }

    [Fact]
    public async Task Close_CancelsOpensUnderWay_AndClosesWhatArrivesAfterAll()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var waiting = pool.Acquire(CallerKind.Async);
        var open = pool.Connector.Pending.Single();
        Assert.True(await pool.Pool.CloseAsync(TimeSpan.Zero));
        await Assert.ThrowsAsync<PoolClosedException>(() => waiting);
        Assert.True(open.CancellationToken.IsCancellationRequested);
        open.Succeed();
        Assert.Equal(0, pool.Connector.OpenNow);
        Assert.Equal(2, pool.Snapshot.Free);
    }

    [Fact]
    public async Task Close_WithAnOpenThatFailsAfterwards_GivesTheSlotBack()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var waiting = pool.Acquire(CallerKind.Async);
        var open = pool.Connector.Pending.Single();
        await pool.Pool.DisposeAsync();
        await Assert.ThrowsAsync<PoolClosedException>(() => waiting);
        open.Fail(new OperationCanceledException());
        Assert.Equal(2, pool.Snapshot.Free);
    }

    [Fact]
    public async Task Close_WhileDraining_WaiterThatCannotBeServed_GetsTheServersError()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var waiting = pool.Acquire(CallerKind.Async);
        var close = pool.Pool.CloseAsync(Drain);
        var down = new InvalidOperationException("down");
        pool.Connector.Pending.Single().Fail(down);
        Assert.Same(down, await Record.ExceptionAsync(() => waiting));
        Assert.True(await close);
    }

    [Fact]
    public async Task Close_WhileDraining_CancellingTheLastWaiter_EndsTheDrain()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        using var cancellation = new CancellationTokenSource();
        var lease = pool.Acquire();
        var waiting = pool.Acquire(CallerKind.Async, null, cancellation.Token);
        var close = pool.Pool.CloseAsync(Drain);
        lease.Release();
        (await waiting).Release();
        await cancellation.CancelAsync();
        Assert.True(await close);
    }

    [Fact]
    public async Task Close_Twice_IsTheSameAsOnce()
    {
        using var pool = PoolHarness.Create().Occupy(1);
        var first = pool.Pool.CloseAsync(Drain);
        var second = pool.Pool.CloseAsync(Drain * 2);
        pool.Vacate();
        Assert.True(await first);
        Assert.True(await second);
        Assert.True(await pool.Pool.CloseAsync(TimeSpan.Zero));
        Assert.Single(pool.Logger.Entries, e => e.Id.Id == 1006);
    }

    [Fact]
    public async Task Dispose_DuringADrain_EndsItAtOnce()
    {
        using var pool = PoolHarness.Create().Occupy(1);
        var close = pool.Pool.CloseAsync(Drain);
        await pool.Pool.DisposeAsync();
        Assert.Equal(PoolPhase.Closed, pool.Snapshot.Phase);
        pool.Vacate();
        Assert.True(await close);
    }

    [Fact]
    public async Task Close_WithAWaiter_StopsEveryTimer()
    {
        using var pool = PoolHarness.Create(o => (o.ReservePoolSize, o.MaxPoolSize) = (1, 1)).Occupy(1);
        var waiting = pool.Acquire(CallerKind.Async);
        await pool.Pool.DisposeAsync();
        await Assert.ThrowsAsync<PoolClosedException>(() => waiting);
        Assert.Equal(0, pool.Time.ActiveTimers);
        pool.Vacate();
    }

    [Fact]
    public async Task Close_WithInfiniteDrain_WaitsForEver()
    {
        using var pool = PoolHarness.Create().Occupy(1);
        var close = pool.Pool.CloseAsync(Timeout.InfiniteTimeSpan);
        pool.Time.Advance(TimeSpan.FromDays(1));
        Assert.False(close.IsCompleted);
        pool.Vacate();
        Assert.True(await close);
    }

    [Fact]
    public async Task Close_WithADrainTimeOutOfRange_ChangesNothing()
    {
        using var pool = PoolHarness.Create();
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pool.Pool.CloseAsync(TimeSpan.FromSeconds(-5)));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => pool.Pool.CloseAsync(TimeSpan.MaxValue));
        Assert.Equal(PoolPhase.Running, pool.Snapshot.Phase);
    }

    [Fact]
    public async Task Close_WithAnOpenThatNobodyWaitsFor_DoesNotWaitForItEither()
    {
        using var pool = PoolHarness.Create(o => o.MinPoolSize = 2);
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        pool.Connector.Pending[0].Succeed();
        (await caller).Release();
        var hanging = pool.Connector.Pending.Single();
        var close = pool.Pool.CloseAsync(Drain);
        Assert.True(close.IsCompleted);
        Assert.True(await close);
        Assert.True(hanging.CancellationToken.IsCancellationRequested);
    }

    [Fact]
    public async Task Close_WithAnOpenUnderWay_DoesNotWarnThatItWasCancelled()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var waiting = pool.Acquire(CallerKind.Async);
        var open = pool.Connector.Pending.Single();
        await pool.Pool.DisposeAsync();
        await Assert.ThrowsAsync<PoolClosedException>(() => waiting);
        open.Fail(new OperationCanceledException());
        Assert.DoesNotContain(pool.Logger.Entries, e => e.Id.Id == 1001);
    }
}
