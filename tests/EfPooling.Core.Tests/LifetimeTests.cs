using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

// The harness's jitter is the middle of its range: a connection lives for 57 minutes of the hour.
public sealed class LifetimeTests
{
    private static readonly TimeSpan Life = TimeSpan.FromMinutes(57);

    [Fact]
    public void Sweep_RetiresAWarmConnectionAtTheEndOfItsLife_AndRefills()
    {
        using var pool = PoolHarness.Create(o => o.ServerIdleTimeout = TimeSpan.Zero).WarmUp(1);
        pool.Time.Advance(Life - TimeSpan.FromSeconds(1));
        Assert.Empty(pool.Connector.Closed);
        pool.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(1, pool.Snapshot.Retired[RetireReason.Lifetime]);
        Assert.Equal(1, pool.Snapshot.Idle);
        Assert.Equal(2, pool.Connector.Attempts);
    }

    [Fact]
    public void Sweep_DoesNotReplaceAConnectionThatNobodyUsed()
    {
        using var pool = PoolHarness.Create(o => o.ServerIdleTimeout = TimeSpan.Zero).WarmUp(1);
        pool.Time.Advance(TimeSpan.FromHours(3));
        Assert.Equal(2, pool.Connector.Attempts);
        Assert.Equal(2, pool.Snapshot.Free);
    }

    [Fact]
    public void Release_AtTheEndOfItsLife_RetiresTheConnectionAndRefills()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        pool.Time.Advance(Life);
        lease.Release();
        Assert.Equal(1, pool.Snapshot.Retired[RetireReason.Lifetime]);
        Assert.Equal(1, pool.Snapshot.Idle);
    }

    [Fact]
    public async Task Release_AtTheEndOfItsLife_WithAWaiter_OpensForTheWaiter()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var lease = pool.Acquire();
        pool.Time.Advance(Life);
        var waiting = pool.Acquire(CallerKind.Async);
        lease.Release();
        var next = await waiting;
        Assert.Equal(2, next.Connection.Id);
        next.Release();
        Assert.Equal(2, pool.Connector.Attempts);
    }

    [Fact]
    public void Lifetime_OfConnectionsOpenedTogether_DoesNotEndTogether()
    {
        using var pool = PoolHarness.Create(o => (o.MaxPoolSize, o.ServerIdleTimeout) = (4, TimeSpan.Zero)).WarmUp(4);
        pool.Time.Advance(Life + TimeSpan.FromSeconds(30));
        for (var retired = 1; retired <= 4; retired++)
        {
            Assert.Equal(retired, pool.Connector.Closed.Count);
            pool.Time.Advance(TimeSpan.FromMinutes(15)); // One per ServerLifetime / MaxPoolSize.
        }
    }

    [Fact]
    public async Task Release_AtTheEndOfItsLife_WhileOpensAreHeldOff_KeepsTheConnection()
    {
        using var pool = PoolHarness.Create(o => (o.MaxPoolSize, o.QueryWaitTimeout) = (2, TimeSpan.Zero));
        var old = pool.Acquire();
        pool.Time.Advance(Life);
        pool.Connector.OpenError = new InvalidOperationException("too many clients");
        var waiting = pool.Acquire(CallerKind.Async);
        old.Release();
        var lease = await waiting;
        Assert.Equal(1, lease.Connection.Id);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        lease.Release();
        Assert.Equal(1, pool.Snapshot.Retired[RetireReason.Lifetime]);
    }

    [Fact]
    public void Release_WithinTheSpacing_KeepsTheOldConnection()
    {
        using var pool = PoolHarness.Create().Occupy(2);
        pool.Time.Advance(Life);
        pool.Vacate();
        Assert.Equal(1, pool.Snapshot.Retired[RetireReason.Lifetime]);
        Assert.Equal(2, pool.Snapshot.Idle);
    }

    [Fact]
    public void Lifetime_OfZero_NeverEnds()
    {
        using var pool = PoolHarness.Create(o => (o.ServerLifetime, o.ServerIdleTimeout) = (TimeSpan.Zero, TimeSpan.Zero)).WarmUp(1);
        pool.Time.Advance(TimeSpan.FromDays(2));
        Assert.Equal(1, pool.Snapshot.Idle);
        Assert.Equal(1, pool.Connector.Attempts);
    }

    [Fact]
    public void Lifetime_WhenTheReplacementCannotBeOpened_IsNotTriedAgainForNobody()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        pool.Time.Advance(Life);
        pool.Connector.OpenError = new InvalidOperationException("down");
        lease.Release();
        pool.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(2, pool.Connector.Attempts);
        Assert.Equal(2, pool.Snapshot.Free);
    }
}
