using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

/// <summary>How soon callers notice that the server is back.</summary>
public sealed class RecoveryTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly Exception _down = new InvalidOperationException("down");

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Callers_DuringALongOutage_ProbeAtMostASecondAfterTheLastProbe(CallerKind kind)
    {
        using var pool = PoolHarness.Create();
        pool.Connector.OpenError = _down;
        var (attempts, quiet) = (0, TimeSpan.Zero);
        for (var step = TimeSpan.FromMilliseconds(10); quiet <= Second && attempts < 40; quiet += step)
        {
            Assert.Same(_down, await Record.ExceptionAsync(() => pool.Acquire(kind)));
            (attempts, quiet) = pool.Connector.Attempts > attempts ? (pool.Connector.Attempts, TimeSpan.Zero) : (attempts, quiet);
            pool.Time.Advance(step);
        }

        Assert.Equal(40, attempts);
        pool.Connector.OpenError = null;
        pool.Time.Advance(Second);
        (await pool.Acquire(kind)).Release();
    }

    [Fact]
    public async Task NobodyComes_AttemptsBecomeAsRareAsServerLoginRetrySays()
    {
        using var pool = PoolHarness.Create(o => o.MinPoolSize = 1);
        pool.Connector.OpenError = _down;
        await Record.ExceptionAsync(() => pool.Acquire(CallerKind.Async));
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        var attempts = pool.Connector.Attempts;
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.InRange(pool.Connector.Attempts, attempts + 1, attempts + 4);
        pool.Connector.OpenError = null;
        pool.Time.Advance(TimeSpan.FromSeconds(17));
        Assert.Equal(1, pool.Snapshot.Idle);
    }

    [Fact]
    public async Task ACallerComesLate_InThePauseOfAttemptsThatNobodyAsksFor_IsServedAtOnce()
    {
        using var pool = PoolHarness.Create(o => o.MinPoolSize = 1);
        pool.Connector.OpenError = _down;
        await Record.ExceptionAsync(() => pool.Acquire(CallerKind.Async));
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        var attempts = pool.Connector.Attempts;
        while (pool.Connector.Attempts == attempts)
        {
            pool.Time.Advance(TimeSpan.FromMilliseconds(10)); // Until an attempt has just failed.
        }

        pool.Connector.OpenError = null;
        pool.Time.Advance(Second);
        Assert.Equal(0, pool.Snapshot.Idle);
        pool.Acquire().Release();
    }

    [Fact]
    public async Task WaitersForALiveConnection_ProbeByThemselves()
    {
        using var pool = PoolHarness.Create(o => (o.MaxPoolSize, o.QueryWaitTimeout) = (2, TimeSpan.Zero)).Occupy(1);
        pool.Connector.OpenError = _down;
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(TimeSpan.FromSeconds(45));
        pool.Connector.OpenError = null;
        Assert.False(caller.IsCompleted);
        pool.Time.Advance(Second);
        (await caller).Release();
        pool.Vacate();
    }

    [Fact]
    public async Task AfterAFailure_OneOpenProbes_AndTheOthersFollowItsSuccess()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 4);
        pool.Connector.OpenError = _down;
        await Record.ExceptionAsync(() => pool.Acquire(CallerKind.Async));
        (pool.Connector.OpenError, pool.Connector.HoldOpens) = (null, true);
        pool.Time.Advance(Second);
        var callers = Enumerable.Range(0, 4).Select(_ => pool.Acquire(CallerKind.Async)).ToList();
        Assert.Single(pool.Connector.Pending).Succeed();
        Assert.Equal(3, pool.Connector.Pending.Count);
        foreach (var open in pool.Connector.Pending)
        {
            open.Succeed();
        }

        foreach (var caller in callers)
        {
            (await caller).Release();
        }
    }

    [Fact]
    public async Task AProbeThatHangs_IsFollowedByAnother_WhileCallersCome()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 4);
        pool.Connector.OpenError = _down;
        await Record.ExceptionAsync(() => pool.Acquire(CallerKind.Async));
        (pool.Connector.OpenError, pool.Connector.HoldOpens) = (null, true);
        pool.Time.Advance(Second);
        var first = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(Second - TimeSpan.FromMilliseconds(1));
        var second = pool.Acquire(CallerKind.Async);
        Assert.Single(pool.Connector.Pending);
        pool.Time.Advance(TimeSpan.FromMilliseconds(1));
        var third = pool.Acquire(CallerKind.Async);
        Assert.Equal(2, pool.Connector.Pending.Count);
        pool.Connector.Pending[1].Succeed();
        (await first).Release();
        (await second).Release();
        (await third).Release();
    }
}
