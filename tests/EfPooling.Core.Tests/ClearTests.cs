using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class ClearTests
{
    [Fact]
    public void Clear_ClosesWarmConnectionsNow_AndLeasedOnesWhenTheyComeBack()
    {
        using var pool = PoolHarness.Create().WarmUp(2);
        var lease = pool.Acquire();
        pool.Pool.Clear();
        Assert.Single(pool.Connector.Closed);
        Assert.True(lease.IsActive);
        lease.Release();
        Assert.Equal(2, pool.Snapshot.Retired[RetireReason.Cleared]);
        Assert.Equal(0, pool.Connector.OpenNow);
        Assert.Equal(1, pool.Snapshot.Generation);
    }

    [Fact]
    public async Task Clear_WithAnOpenUnderWay_RetiresItWhenItArrives_AndTheWaiterGetsANewOne()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        var outdated = pool.Connector.Pending.Single();
        pool.Pool.Clear();
        outdated.Succeed();
        Assert.False(caller.IsCompleted);
        Assert.Single(pool.Connector.Closed);
        var fresh = pool.Connector.Pending.Single().Succeed();
        var lease = await caller;
        Assert.Same(fresh, lease.Connection);
        lease.Release();
    }

    [Fact]
    public async Task Clear_WithWaiters_ServesThemWithNewConnections()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var lease = pool.Acquire();
        var waiting = pool.Acquire(CallerKind.Async);
        pool.Pool.Clear();
        lease.Release();
        var next = await waiting;
        Assert.Equal(2, next.Connection.Id);
        next.Release();
    }

    [Fact]
    public async Task Clear_EndsAPauseAfterFailedLogins()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.OpenError = new InvalidOperationException("down");
        await Record.ExceptionAsync(() => pool.Acquire(CallerKind.Async));
        pool.Connector.OpenError = null;
        pool.Pool.Clear();
        pool.Acquire().Release();
    }

    [Fact]
    public async Task Clear_EndsAPause_ForThoseWhoWait()
    {
        using var pool = PoolHarness.Create().Occupy(1);
        pool.Connector.OpenError = new InvalidOperationException("down");
        var caller = pool.Acquire(CallerKind.Async);
        pool.Connector.OpenError = null;
        pool.Pool.Clear();
        (await caller).Release();
        pool.Vacate();
    }

    [Fact]
    public void Clear_IsLogged()
    {
        using var pool = PoolHarness.Create().WarmUp(2);
        var lease = pool.Acquire();
        pool.Pool.Clear();
        var (_, _, text) = Assert.Single(pool.Logger.Entries, e => e.Id.Id == 1005);
        Assert.Contains("1 idle", text, StringComparison.Ordinal);
        Assert.Contains("1 in use", text, StringComparison.Ordinal);
        lease.Release();
    }

    [Fact]
    public async Task Clear_OfAClosedPool_DoesNothing()
    {
        using var pool = PoolHarness.Create().WarmUp(1);
        await pool.Pool.DisposeAsync();
        pool.Pool.Clear();
        Assert.Equal(2, pool.Snapshot.Free);
    }

    [Fact]
    public async Task Clear_WithAnOpenUnderWayThatFails_TriesAgainAtOnce()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        pool.Pool.Clear();
        pool.Connector.Pending[0].Fail(new InvalidOperationException("the old server is gone"));
        Assert.False(caller.IsCompleted);
        pool.Connector.Pending.Single().Succeed();
        (await caller).Release();
        Assert.Equal(1, pool.Snapshot.OpenFailures);
    }

    [Fact]
    public async Task Clear_CancelsOpensUnderWay()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        var outdated = pool.Connector.Pending.Single();
        pool.Pool.Clear();
        Assert.True(outdated.CancellationToken.IsCancellationRequested);
        outdated.Fail(new OperationCanceledException());
        var fresh = pool.Connector.Pending.Single();
        Assert.False(fresh.CancellationToken.IsCancellationRequested);
        fresh.Succeed();
        (await caller).Release();
    }

    [Fact]
    public async Task Clear_WhenTheNewServerRefusesToo_WaitersGetItsError_NotTheOldOnes()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var first = pool.Acquire(CallerKind.Async);
        pool.Pool.Clear();
        var second = pool.Acquire(CallerKind.Async);
        var refused = new InvalidOperationException("the new server refuses");
        pool.Connector.Pending[1].Fail(refused);
        pool.Connector.Pending[0].Fail(new InvalidOperationException("the old server is gone"));
        Assert.Same(refused, await Record.ExceptionAsync(() => first));
        Assert.Same(refused, await Record.ExceptionAsync(() => second));
    }
}
