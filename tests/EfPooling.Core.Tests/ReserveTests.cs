using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class ReserveTests
{
    private static readonly TimeSpan UntilReserve = TimeSpan.FromSeconds(5);

    private static PoolHarness Pool(int max = 2, int reserve = 2)
        => PoolHarness.Create(o => (o.MaxPoolSize, o.ReservePoolSize, o.ReservePoolTimeout) = (max, reserve, UntilReserve));

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Reserve_OpensForACallerWhoWaitedLongEnough(CallerKind kind)
    {
        using var pool = Pool().Occupy(2);
        var caller = pool.Acquire(kind);
        pool.Time.Advance(UntilReserve - TimeSpan.FromMilliseconds(1));
        Assert.Equal(2, pool.Connector.Attempts);
        pool.Time.Advance(TimeSpan.FromMilliseconds(1));
        var lease = await caller;
        Assert.Equal(3, pool.Connector.OpenNow);
        lease.Release();
        pool.Vacate();
    }

    [Fact]
    public async Task Reserve_OpensOnePerCallerEntitled_AndNoMoreThanItsSize()
    {
        using var pool = Pool().Occupy(2);
        pool.Connector.HoldOpens = true;
        var callers = Enumerable.Range(0, 2).Select(_ => pool.Acquire(CallerKind.Async)).ToList();
        pool.Time.Advance(UntilReserve / 2);
        callers.Add(pool.Acquire(CallerKind.Async));
        pool.Time.Advance(UntilReserve / 2);
        Assert.Equal(2, pool.Connector.Pending.Count);
        pool.Time.Advance(UntilReserve / 2);
        Assert.Equal(2, pool.Connector.Pending.Count);
        pool.Connector.Pending[0].Succeed();
        pool.Connector.Pending[0].Succeed();
        (await callers[0]).Release();
        (await callers[2]).Release();
        (await callers[1]).Release();
        pool.Vacate();
        Assert.Equal(4, pool.Connector.Attempts);
    }

    [Fact]
    public async Task Reserve_IsGivenBack_WhenNobodyEntitledWaits()
    {
        using var pool = Pool(max: 1, reserve: 1).Occupy(1);
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(UntilReserve);
        var lease = await caller;
        pool.Vacate();
        Assert.Equal(1, pool.Snapshot.Retired[RetireReason.ReserveSurplus]);
        lease.Release();
        Assert.Equal((1, 1), (pool.Snapshot.Idle, pool.Snapshot.Free));
    }

    [Fact]
    public async Task Reserve_ForACallerWhoWasServedMeanwhile_IsClosedAgain()
    {
        using var pool = Pool(max: 1, reserve: 1).Occupy(1);
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(UntilReserve);
        pool.Vacate();
        var lease = await caller;
        pool.Connector.Pending.Single().Succeed();
        Assert.Equal(1, pool.Connector.OpenNow);
        lease.Release();
    }

    [Fact]
    public async Task Reserve_OfZero_EntitlesNobody()
    {
        using var pool = Pool(reserve: 0).Occupy(2);
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(UntilReserve * 2);
        Assert.Equal(2, pool.Connector.Attempts);
        pool.Vacate();
        (await caller).Release();
    }

    [Fact]
    public async Task Reserve_AfterTheEntitledCallerWasCancelled_IsNotOpened()
    {
        using var pool = Pool(max: 1, reserve: 1).Occupy(1);
        using var cancellation = new CancellationTokenSource();
        pool.Connector.OpenError = new InvalidOperationException("down");
        var caller = pool.Acquire(CallerKind.Async, null, cancellation.Token);
        pool.Time.Advance(UntilReserve);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        pool.Connector.OpenError = null;
        pool.Time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(2, pool.Connector.Attempts);
        pool.Vacate();
    }

    [Fact]
    public async Task Reserve_WhileARegularOpenIsUnderWayForTheSameCaller_IsNotOpened()
    {
        using var pool = Pool(max: 2, reserve: 1).Occupy(1);
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(UntilReserve);
        Assert.Single(pool.Connector.Pending);
        pool.Connector.Pending.Single().Succeed();
        (await caller).Release();
        pool.Vacate();
    }

    [Fact]
    public async Task Reserve_IsGivenBack_WithoutClosingTheRegularConnections()
    {
        using var pool = Pool(max: 2, reserve: 1).Occupy(2);
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(UntilReserve);
        var lease = await caller;

        // The others come back while the surplus connection is still being closed.
        pool.Connector.OnClose = _ => pool.Vacate();
        lease.Release();
        pool.Connector.OnClose = null;
        Assert.Single(pool.Connector.Closed);
        Assert.Equal(2, pool.Snapshot.Idle);
    }
}
