using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class AffinityTests
{
    private static readonly object Blue = new();
    private static readonly object Red = new();

    [Theory, InlineData(false), InlineData(true)]
    public void Acquire_PrefersAConnectionReleasedWithItsAffinity(bool roundRobin)
    {
        using var pool = PoolHarness.Create(o => (o.MaxPoolSize, o.ServerRoundRobin) = (3, roundRobin)).WarmUp(3);
        var (blue, red, none) = (pool.Acquire(), pool.Acquire(), pool.Acquire());
        var (blueId, redId, noneId) = (blue.Connection.Id, red.Connection.Id, none.Connection.Id);
        blue.Release(Blue);
        red.Release(Red);
        none.Release();

        Assert.Equal(redId, Use(Red));
        Assert.Equal(blueId, Use(Blue));
        Assert.Equal(noneId, Use(null));
        Assert.Equal(redId, Use(Red));

        int Use(object? affinity)
        {
            var lease = pool.Pool.Acquire(new HolderWithAffinity(affinity));
            var id = lease.Connection.Id;
            lease.Release(affinity);
            return id;
        }
    }

    [Fact]
    public void Acquire_WithoutAMatch_TakesTheFirstOne()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 2).WarmUp(2);
        var (first, second) = (pool.Acquire(), pool.Acquire());
        var expected = second.Connection;
        first.Release(Blue);
        second.Release(Blue);

        var lease = pool.Pool.Acquire(new HolderWithAffinity(Red));

        Assert.Same(expected, lease.Connection);
        lease.Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Waiter_GetsTheNextConnection_WhateverItsAffinity(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1).WarmUp(1);
        var lease = pool.Acquire();
        var waiting = pool.Acquire(kind, new HolderWithAffinity(Red));

        lease.Release(Blue);

        (await waiting).Release();
    }
}
