using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class SnapshotTests
{
    [Fact]
    public async Task Snapshot_CountsEverySlotAndCaller()
    {
        using var pool = PoolHarness.Create(o => (o.MaxPoolSize, o.ReservePoolSize) = (3, 2)).Occupy(1);
        pool.Connector.HoldOpens = true;
        var waiting = pool.Acquire(CallerKind.Async);
        var snapshot = pool.Snapshot;
        Assert.Equal("orders", snapshot.Name);
        Assert.Equal(PoolPhase.Running, snapshot.Phase);
        Assert.Equal((3, 2), (snapshot.MaxPoolSize, snapshot.ReservePoolSize));
        Assert.Equal((0, 1, 1, 0, 3), (snapshot.Idle, snapshot.InUse, snapshot.Opening, snapshot.Closing, snapshot.Free));
        Assert.Equal((1, 2, 1, 1), (snapshot.Waiting, snapshot.Waits, snapshot.LeasesGranted, snapshot.Opened));
        Assert.Equal(1, snapshot.ServerConnections);
        Assert.Empty(snapshot.Retired);
        pool.Vacate();
        (await waiting).Release();
    }

    [Fact]
    public void Snapshot_DuringAClose_CountsTheConnectionAsClosing()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        pool.Connector.OnClose = _ => Assert.Equal((1, 0, 1), (pool.Snapshot.Closing, pool.Snapshot.InUse, pool.Snapshot.ServerConnections));
        lease.Retire(RetireReason.Broken);
        Assert.Equal(0, pool.Snapshot.Closing);
        pool.Connector.OnClose = null;
    }

    [Fact]
    public void OldestLeases_AreTheOldestFirst_WithWhatTheyDo()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 3);
        var first = pool.Pool.Acquire(new Holder("SELECT 1", LeaseScope.Command));
        pool.Time.Advance(TimeSpan.FromSeconds(2));
        var second = pool.Pool.Acquire(new Holder("COPY", LeaseScope.Session));
        pool.Time.Advance(TimeSpan.FromSeconds(3));
        var third = pool.Pool.Acquire();

        Assert.Equal(
            [new LeaseInfo(0, TimeSpan.FromSeconds(5), LeaseScope.Command, "SELECT 1"), new LeaseInfo(1, TimeSpan.FromSeconds(3), LeaseScope.Session, "COPY")],
            pool.Pool.GetOldestLeases(2));
        Assert.Equal(new LeaseInfo(2, TimeSpan.Zero, null, null), pool.Pool.GetOldestLeases()[2]);
        first.Release();
        second.Release();
        third.Release();
        Assert.Empty(pool.Pool.GetOldestLeases());
    }
}
