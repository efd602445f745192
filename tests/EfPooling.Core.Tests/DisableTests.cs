using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

/// <summary>A disabled pool refuses new callers and finishes what was there before.</summary>
public sealed class DisableTests
{
    [Fact]
    public async Task NewCallers_AreRefused_AndRunningOnesGoOn()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var lease = pool.Acquire();
        var waiting = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        pool.Pool.Disable();
        Assert.True(pool.Snapshot.IsDisabled);
        await Assert.ThrowsAsync<PoolDisabledException>(() => pool.Acquire(CallerKind.Async));
        await Assert.ThrowsAsync<PoolDisabledException>(() => pool.Acquire(CallerKind.Sync));
        lease.Release();
        (await waiting).Release();
        await Assert.ThrowsAsync<PoolDisabledException>(() => pool.Acquire(CallerKind.Async));
        Assert.Throws<PoolDisabledException>(() => pool.Pool.EnsureReachable());
        await Assert.ThrowsAsync<PoolDisabledException>(() => pool.Pool.EnsureReachableAsync().AsTask());
        Assert.True(pool.Pool.Enable());
        Assert.False(pool.Pool.Enable());
        pool.Acquire().Release();
    }

    [Fact]
    public async Task CallerThatWasAdmittedBefore_AndWaitedElsewhere_IsServed()
    {
        using var pool = PoolHarness.Create();
        var since = pool.Pool.Now;
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        pool.Pool.Disable();
        (await pool.Pool.AcquireAsync(null, since, CancellationToken.None, isAdmitted: true)).Release();
        await Assert.ThrowsAsync<PoolDisabledException>(() => pool.Pool.AcquireAsync(null, since, CancellationToken.None).AsTask());
        Assert.Throws<PoolDisabledException>(pool.Pool.ThrowIfDisabled);
        pool.Pool.Enable();
        pool.Pool.ThrowIfDisabled();
    }

    [Fact]
    public void CallerWhoseConnectionFailsItsCheck_IsServedByAnotherOne_ThoughThePoolIsDisabledMeanwhile()
    {
        using var pool = PoolHarness.Create(o => o.ServerCheckDelay = TimeSpan.Zero).WarmUp(1);
        pool.Connector.OnCheck = connection => (connection.IsAlive, _) = (false, Disable());
        pool.Acquire().Release();
        pool.Pool.Enable();

        bool Disable()
        {
            pool.Pool.Disable();
            return true;
        }
    }

    [Fact]
    public async Task Drain_WaitsForLeasesAndWaiters_AndStaysDisabled()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var lease = pool.Acquire();
        var waiting = pool.Acquire(CallerKind.Async);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        var drain = pool.Pool.DrainAsync();
        lease.Release();
        Assert.False(drain.IsCompleted);
        (await waiting).Release();
        await drain;
        Assert.True(pool.Snapshot is { IsDisabled: true, Idle: 1 });
        await Assert.ThrowsAsync<PoolDisabledException>(() => pool.Acquire(CallerKind.Async));
        await pool.Pool.DrainAsync();
        pool.Pool.Enable();
    }

    [Fact]
    public async Task Enable_EndsADrainAsCancelled_AndACancelledDrainStaysDisabled()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        using var cancellation = new CancellationTokenSource();
        var cancelled = pool.Pool.DrainAsync(cancellation.Token);
        var drain = pool.Pool.DrainAsync();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.True(pool.Snapshot.IsDisabled);
        pool.Pool.Enable();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => drain);
        lease.Release();
        pool.Acquire().Release();
    }

    [Fact]
    public async Task Close_OfADisabledPool_EndsTheDrain()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        var drain = pool.Pool.DrainAsync();
        var close = pool.Pool.CloseAsync(Timeout.InfiniteTimeSpan);
        await Assert.ThrowsAsync<PoolClosedException>(() => drain);
        await Assert.ThrowsAsync<PoolClosedException>(() => pool.Acquire(CallerKind.Async));
        Assert.False(pool.Pool.Enable());
        lease.Release();
        Assert.True(await close);
        Assert.Throws<PoolClosedException>(() => pool.Pool.Disable());
        await Assert.ThrowsAsync<PoolClosedException>(() => pool.Pool.DrainAsync());
    }
}
