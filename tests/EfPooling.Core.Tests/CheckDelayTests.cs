using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class CheckDelayTests
{
    private static readonly TimeSpan Delay = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Acquire_OfAConnectionUsedLately_DoesNotCheck()
    {
        using var pool = PoolHarness.Create().WarmUp(1);
        pool.Time.Advance(Delay);
        pool.Acquire().Release();
        (await pool.Acquire(CallerKind.Sync)).Release();
        Assert.Empty(pool.Connector.Checked);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_OfAConnectionIdleForLonger_Checks(CallerKind kind)
    {
        using var pool = PoolHarness.Create().WarmUp(1);
        pool.Time.Advance(Delay + TimeSpan.FromMilliseconds(1));
        (await pool.Acquire(kind)).Release();
        Assert.Equal(pool.Connector.Opened, pool.Connector.Checked);
        Assert.Equal(1, pool.Connector.Attempts);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_WhenTheCheckFails_TriesTheNext(CallerKind kind)
    {
        using var pool = PoolHarness.Create().WarmUp(2);
        pool.Time.Advance(Delay * 2);
        pool.Connector.Opened[1].IsAlive = false;
        var lease = await pool.Acquire(kind);
        Assert.Equal(1, lease.Connection.Id);
        Assert.Equal(2, pool.Connector.Checked.Count);
        Assert.Equal(1, pool.Snapshot.Retired[RetireReason.FailedCheck]);
        lease.Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_WhenEveryCheckFails_OpensANewOne(CallerKind kind)
    {
        using var pool = PoolHarness.Create().WarmUp(2);
        pool.Time.Advance(Delay * 2);
        pool.Connector.Opened[0].IsAlive = pool.Connector.Opened[1].IsAlive = false;
        var lease = await pool.Acquire(kind);
        Assert.Equal(3, lease.Connection.Id);
        lease.Release();
    }

    [Fact]
    public void CheckDelay_OfZero_ChecksEveryTime()
    {
        using var pool = PoolHarness.Create(o => o.ServerCheckDelay = TimeSpan.Zero).WarmUp(1);
        pool.Acquire().Release();
        pool.Acquire().Release();
        Assert.Equal(2, pool.Connector.Checked.Count);
    }

    [Fact]
    public void CheckDelay_Infinite_NeverChecks()
    {
        using var pool = PoolHarness.Create(o => (o.ServerCheckDelay, o.ServerIdleTimeout) = (Timeout.InfiniteTimeSpan, TimeSpan.Zero)).WarmUp(1);
        pool.Time.Advance(TimeSpan.FromMinutes(50));
        pool.Acquire().Release();
        Assert.Empty(pool.Connector.Checked);
    }

    [Fact]
    public void AfterAConnectionBroke_ThoseThatWereIdleAreChecked_AtTheirNextUse()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 3).WarmUp(3);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        pool.Acquire().Retire(RetireReason.Broken);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        pool.Occupy(2);
        Assert.Equal(2, pool.Connector.Checked.Count);
        pool.Vacate();
        pool.Occupy(2).Vacate();
        Assert.Equal(2, pool.Connector.Checked.Count);
    }

    [Fact]
    public async Task Acquire_WhenTheCheckFailsOnAFullPool_QueuesBehindTheOthers()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 2).Occupy(1);
        pool.Acquire().Release();
        pool.Time.Advance(Delay * 2);
        pool.Connector.Opened[1].IsAlive = false;
        Task<Lease<FakeConnection>>? other = null;
        pool.Connector.OnCheck = _ => other = pool.Acquire(CallerKind.Async);
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        pool.Vacate();
        var lease = await other!;
        Assert.False(caller.IsCompleted);
        lease.Release();
        (await caller).Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_WhenFailingChecksUseUpTheTime_TimesOut(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => (o.MaxPoolSize, o.ServerCheckDelay) = (3, TimeSpan.Zero));
        pool.Occupy(3).Vacate();
        pool.Connector.OnCheck = connection =>
        {
            connection.IsAlive = false;
            pool.Time.Advance(TimeSpan.FromSeconds(20));
        };
        var error = await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => pool.Acquire(kind));
        Assert.Contains("1 idle", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, pool.Connector.Checked.Count);
        Assert.Equal(1, pool.Snapshot.WaitTimeouts);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Cancel_DuringACheckThatFails_EndsTheCall(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.ServerCheckDelay = TimeSpan.Zero).WarmUp(2);
        using var cancellation = new CancellationTokenSource();
        pool.Connector.OnCheck = connection =>
        {
            connection.IsAlive = false;
            cancellation.Cancel();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pool.Acquire(kind, null, cancellation.Token));
        Assert.Single(pool.Connector.Checked);
        Assert.Equal(1, pool.Snapshot.Idle);
    }

    [Fact]
    public void CheckDelay_Infinite_NeverChecks_EvenAfterAConnectionBroke()
    {
        using var pool = PoolHarness.Create(o => o.ServerCheckDelay = Timeout.InfiniteTimeSpan).WarmUp(2);
        pool.Acquire().Retire(RetireReason.Broken);
        pool.Acquire().Release();
        Assert.Empty(pool.Connector.Checked);
    }
}
