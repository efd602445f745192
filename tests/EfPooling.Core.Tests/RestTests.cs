using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

/// <summary>A pool that nobody uses can be put at rest: it keeps no server connection until somebody comes.</summary>
public sealed class RestTests
{
    private static PoolHarness Pool() => PoolHarness.Create(o => (o.MaxPoolSize, o.MinPoolSize) = (4, 2));

    [Fact]
    public void Rest_ClosesAllConnections_AndFillsNothing_UntilSomebodyComes()
    {
        using var pool = Pool();
        pool.Acquire().Release();
        Assert.Equal(2, pool.Snapshot.Idle);
        Assert.True(pool.Pool.TryRest());
        pool.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(0, pool.Connector.OpenNow);
        Assert.Equal(2, pool.Snapshot.Retired[RetireReason.Idle]);

        pool.Acquire().Release();
        Assert.Equal(2, pool.Snapshot.Idle);
    }

    [Fact]
    public async Task Rest_WithALeaseOrAWaiter_DoesNothing()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var lease = pool.Acquire();
        Assert.False(pool.Pool.TryRest());
        var waiting = pool.Acquire(CallerKind.Async);
        Assert.False(pool.Pool.TryRest());
        lease.Release();
        (await waiting).Release();
        Assert.Equal(1, pool.Connector.OpenNow);
    }

    [Fact]
    public async Task CallerThatComesWhileAnOutdatedOpenIsUnderWay_GetsANewConnection()
    {
        using var pool = PoolHarness.Create(o => (o.MaxPoolSize, o.MinPoolSize, o.MaxConcurrentOpens) = (2, 2, 2));
        pool.Acquire().Release();
        pool.Connector.HoldOpens = true;
        pool.Pool.Clear();
        var outdated = pool.Connector.Pending.ToList();
        Assert.NotEmpty(outdated);
        Assert.True(pool.Pool.TryRest());
        var caller = pool.Acquire(CallerKind.Async);
        outdated.ForEach(open => open.Succeed());
        Assert.False(caller.IsCompleted);
        var fresh = pool.Connector.Pending[0].Succeed();
        var lease = await caller;
        Assert.Same(fresh, lease.Connection);
        lease.Release();
        while (pool.Connector.Pending.Count > 0)
        {
            pool.Connector.Pending[0].Succeed();
        }
    }

    [Fact]
    public void Clear_OfAPoolAtRest_OpensNothing()
    {
        using var pool = Pool();
        Assert.True(pool.Pool.TryRest());
        pool.Pool.Clear();
        Assert.Equal(0, pool.Connector.Attempts);
    }

    [Fact]
    public async Task Rest_OfAClosedPool_DoesNothing()
    {
        using var pool = Pool();
        await pool.Pool.CloseAsync(TimeSpan.Zero);
        Assert.False(pool.Pool.TryRest());
    }
}
