using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

/// <summary>A logger may throw: that disturbs no caller, costs no connection and leaves nobody waiting.</summary>
public sealed class FaultyLoggerTests
{
    private static PoolHarness Pool(Action<PoolOptions>? configure = null)
    {
        var pool = PoolHarness.Create(configure);
        pool.Logger.OnLog = _ => throw new InvalidOperationException("disk full");
        return pool;
    }

    [Fact]
    public async Task LoggerThrows_WhenAConnectionOpened_TheCallerGetsIt()
    {
        using var pool = Pool(o => o.MinPoolSize = 2);
        (await pool.Acquire(CallerKind.Async)).Release();
        Assert.Equal(2, pool.Snapshot.Idle);
        pool.Logger.OnLog = null;
    }

    [Fact]
    public async Task LoggerThrows_WhenAnOpenFailed_TheCallerGetsTheServersError()
    {
        using var pool = Pool();
        pool.Connector.OpenError = new InvalidOperationException("down");
        Assert.Same(pool.Connector.OpenError, await Record.ExceptionAsync(() => pool.Acquire(CallerKind.Async)));
        pool.Logger.OnLog = null;
    }

    [Fact]
    public async Task LoggerThrows_WhenAWaitTimedOut_TheCallerIsTold()
    {
        using var pool = Pool().Occupy(2);
        var caller = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => caller);
        pool.Logger.OnLog = null;
        pool.Vacate();
    }

    [Fact]
    public async Task LoggerThrows_WhenAConnectionWasRetired_TheNextIsOpened()
    {
        using var pool = Pool(o => o.MaxPoolSize = 1);
        var lease = pool.Acquire();
        var waiting = pool.Acquire(CallerKind.Async);
        lease.Retire(RetireReason.Broken);
        (await waiting).Release();
        pool.Logger.OnLog = null;
    }

    [Fact]
    public void LoggerThrows_WhenThePoolIsCleared_EveryConnectionIsReplaced()
    {
        using var pool = Pool(o => (o.MinPoolSize, o.MaxPoolSize) = (2, 4)).WarmUp(4);
        pool.Pool.Clear();
        Assert.Equal((2, 2), (pool.Snapshot.Idle, pool.Snapshot.Free));
        pool.Logger.OnLog = null;
    }

    [Fact]
    public async Task LoggerThrows_WhenThePoolIsClosed_EveryConnectionIsClosed()
    {
        using var pool = Pool().WarmUp(2);
        await pool.Pool.CloseAsync(TimeSpan.Zero);
        Assert.Equal(2, pool.Snapshot.Free);
        pool.Logger.OnLog = null;
    }

    [Fact]
    public async Task LoggerThrows_WhenAskedWhetherItIsEnabled_CountsAsNotEnabled()
    {
        using var pool = Pool();
        pool.Logger.OnIsEnabled = () => throw new InvalidOperationException("disposed");
        (await pool.Acquire(CallerKind.Async)).Release();
        pool.Logger.OnIsEnabled = null;
        pool.Logger.OnLog = null;
        Assert.DoesNotContain(pool.Logger.Entries, e => e.Id.Id == 1000);
    }
}
