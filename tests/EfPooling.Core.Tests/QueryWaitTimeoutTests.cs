using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class QueryWaitTimeoutTests
{
    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task QueryWaitTimeout_EndsTheWait(CallerKind kind)
    {
        using var pool = PoolHarness.Create().Occupy(2);
        var caller = pool.Acquire(kind);
        pool.Time.Advance(TimeSpan.FromSeconds(29.9));
        Assert.False(caller.IsCompleted);
        pool.Time.Advance(TimeSpan.FromSeconds(0.1));
        await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => caller);
        Assert.Equal(1, pool.Snapshot.WaitTimeouts);
        pool.Vacate();
        Assert.Equal(2, pool.Snapshot.Idle);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task QueryWaitTimeout_IncludesConnecting(CallerKind kind)
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(kind);
        pool.Time.Advance(TimeSpan.FromSeconds(30));
        var error = await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => caller);
        Assert.Contains("1 opening", error.Message, StringComparison.Ordinal);
        pool.Connector.Pending.Single().Succeed();
        Assert.Equal(1, pool.Snapshot.Idle);
    }

    [Fact]
    public async Task QueryWaitTimeout_SaysTheNumbersTheOldestLeasesAndTheRemedy()
    {
        using var pool = PoolHarness.Create(o => o.ReservePoolSize = 0);
        var first = pool.Pool.Acquire(new Holder("transaction begun in CheckoutService.PayAsync"));
        pool.Time.Advance(TimeSpan.FromSeconds(1.5));
        var second = pool.Pool.Acquire(new Holder(null, LeaseScope.Reader));
        var callers = new[] { pool.Acquire(CallerKind.Async), pool.Acquire(CallerKind.Async) };
        pool.Time.Advance(TimeSpan.FromSeconds(30));
        var error = await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => callers[0]);
        await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => callers[1]);

        Assert.Equal(
            "Pool 'orders': no server connection within 30 s (2/2 in use, 0 idle, 0 opening, 2 waiting; oldest leases: "
            + "32 s Transaction: transaction begun in CheckoutService.PayAsync; 30 s Reader). "
            + "Finish transactions and readers sooner, or raise MaxPoolSize or QueryWaitTimeout.",
            error.Message);
        Assert.Equal(2, error.Snapshot.Waiting);
        Assert.Equal(2, error.OldestLeases.Count);
        first.Release();
        second.Release();
    }

    [Fact]
    public async Task QueryWaitTimeout_AfterAFailedOpen_CarriesTheServersError()
    {
        using var pool = PoolHarness.Create().Occupy(1);
        pool.Connector.OpenError = new InvalidOperationException("too many clients already");
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(TimeSpan.FromSeconds(30));
        var error = await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => caller);
        Assert.Contains("failed: too many clients already", error.Message, StringComparison.Ordinal);
        Assert.Same(pool.Connector.OpenError, error.InnerException);
        pool.Vacate();
    }

    [Fact]
    public async Task QueryWaitTimeout_Shorter_IsShownWithItsFraction()
    {
        using var pool = PoolHarness.Create(o => o.QueryWaitTimeout = TimeSpan.FromSeconds(0.25)).Occupy(2);
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(TimeSpan.FromSeconds(0.25));
        var error = await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => caller);
        Assert.Contains("within 0.25 s", error.Message, StringComparison.Ordinal);
        Assert.Contains("0.25 s Lease;", error.Message, StringComparison.Ordinal);
        pool.Vacate();
    }

    [Fact]
    public async Task QueryWaitTimeout_OfZero_WaitsWithoutLimit()
    {
        using var pool = PoolHarness.Create(o => o.QueryWaitTimeout = TimeSpan.Zero).Occupy(2);
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(TimeSpan.FromDays(1));
        Assert.False(caller.IsCompleted);
        pool.Vacate();
        (await caller).Release();
    }

    [Fact]
    public async Task QueryWaitTimeout_OfZero_BlocksASyncCallerUntilItIsServed()
    {
        // The reserve's timer tells the test that the caller waits.
        using var pool = PoolHarness.Create(o => (o.QueryWaitTimeout, o.ReservePoolSize) = (TimeSpan.Zero, 1)).Occupy(2);
        var caller = pool.Acquire(CallerKind.Sync);
        pool.Vacate();
        (await caller).Release();
    }

    [Fact]
    public async Task QueryWaitTimeout_OfOneCaller_LeavesTheOthers()
    {
        using var pool = PoolHarness.Create().Occupy(2);
        var early = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(TimeSpan.FromSeconds(20));
        var late = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(TimeSpan.FromSeconds(10));
        await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => early);
        Assert.False(late.IsCompleted);
        pool.Vacate();
        (await late).Release();
    }

    [Fact]
    public async Task QueryWaitTimeout_IsLogged()
    {
        using var pool = PoolHarness.Create().Occupy(2);
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => caller);
        var (_, _, text) = Assert.Single(pool.Logger.Entries, e => e.Id.Id == 1004);
        Assert.Contains("2 in use, 0 still waiting", text, StringComparison.Ordinal);
        pool.Vacate();
    }
}
