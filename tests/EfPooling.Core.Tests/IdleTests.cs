using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class IdleTests
{
    private static PoolHarness Pool(int minPoolSize = 0) => PoolHarness.Create(o =>
    {
        (o.MaxPoolSize, o.MinPoolSize) = (4, minPoolSize);
        o.ServerIdleTimeout = TimeSpan.FromMinutes(10);
    });

    [Fact]
    public void Idle_ForServerIdleTimeout_IsClosed()
    {
        using var pool = Pool().WarmUp(2);
        pool.Time.Advance(TimeSpan.FromMinutes(9.9));
        Assert.Equal(2, pool.Snapshot.Idle);
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, pool.Snapshot.Idle);
        Assert.Equal(2, pool.Snapshot.Retired[RetireReason.Idle]);
    }

    [Fact]
    public void Idle_IsCountedPerConnection()
    {
        using var pool = Pool().WarmUp(2);
        for (var minute = 0; minute < 12; minute++)
        {
            pool.Time.Advance(TimeSpan.FromMinutes(1));
            pool.Acquire().Release(); // Always the one used last.
        }

        Assert.Equal(1, pool.Snapshot.Idle);
        Assert.Equal(1, pool.Snapshot.Retired[RetireReason.Idle]);
    }

    [Fact]
    public void Idle_NeverGoesBelowMinPoolSize()
    {
        using var pool = Pool(minPoolSize: 1).WarmUp(3);
        pool.Time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(1, pool.Snapshot.Idle);
        Assert.Equal(3, pool.Connector.Attempts);
    }

    [Fact]
    public void Idle_DoesNotEndALease()
    {
        using var pool = Pool().Occupy(1);
        pool.Time.Advance(TimeSpan.FromMinutes(30));
        pool.Vacate();
        Assert.Equal(1, pool.Snapshot.Idle);
    }

    [Fact]
    public void Idle_WithoutLimit_IsKept()
    {
        using var pool = PoolHarness.Create(o => (o.ServerIdleTimeout, o.ServerLifetime) = (TimeSpan.Zero, TimeSpan.Zero)).WarmUp(2);
        pool.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(2, pool.Snapshot.Idle);
    }
}
