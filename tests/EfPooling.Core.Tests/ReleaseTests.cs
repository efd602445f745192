using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class ReleaseTests
{
    [Fact]
    public void Release_WithNobodyWaiting_KeepsTheConnectionWarm()
    {
        using var pool = PoolHarness.Create();
        pool.Acquire().Release();
        Assert.Equal(1, pool.Snapshot.Idle);
        Assert.Empty(pool.Connector.Closed);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Release_WithAWaiter_HandsTheConnectionOver(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var first = pool.Acquire();
        var connection = first.Connection;
        var waiting = pool.Acquire(kind);
        first.Release();
        Assert.Equal((1, 0, 0), (pool.Snapshot.InUse, pool.Snapshot.Idle, pool.Snapshot.Waiting));
        var lease = await waiting;
        Assert.Same(connection, lease.Connection);
        lease.Release();
    }

    [Theory, InlineData(RetireReason.Broken), InlineData(RetireReason.ResetFailed)]
    public void Retire_ClosesTheConnection_AndCountsTheReason(RetireReason reason)
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        var connection = lease.Connection;
        lease.Retire(reason);
        Assert.Equal([connection], pool.Connector.Closed);
        Assert.Equal(1, pool.Snapshot.Retired[reason]);
        Assert.Equal(2, pool.Snapshot.Free);
    }

    [Fact]
    public async Task Retire_WithAWaiter_OpensAnotherForIt()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var first = pool.Acquire();
        var waiting = pool.Acquire(CallerKind.Async);
        first.Retire(RetireReason.Broken);
        var lease = await waiting;
        Assert.Equal(2, lease.Connection.Id);
        lease.Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task RetireAtEnd_ClosesTheConnectionWhenItIsReleased_ThoughSomebodyWaits(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var first = pool.Acquire();
        var connection = first.Connection;
        var waiting = pool.Acquire(kind);
        first.RetireAtEnd(RetireReason.Exposed);
        first.RetireAtEnd(RetireReason.Idle); // The first reason stays.
        Assert.Empty(pool.Connector.Closed);
        first.Release();
        var lease = await waiting;
        Assert.NotSame(connection, lease.Connection);
        Assert.Equal([connection], pool.Connector.Closed);
        lease.Release();
        Assert.Equal(1, pool.Snapshot.Idle);
        Assert.Equal((1, 1), (pool.Snapshot.Retired[RetireReason.Exposed], pool.Snapshot.Retired.Count));
    }

    [Fact]
    public void Retire_GivesAnotherReason_ThanRetireAtEnd()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        lease.RetireAtEnd(RetireReason.Exposed);
        lease.Retire(RetireReason.Broken);
        Assert.Equal([RetireReason.Broken], pool.Snapshot.Retired.Keys);
    }

    [Fact]
    public async Task Retire_OpensTheNext_OnlyAfterTheOldIsClosed()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var mostOpen = 0;
        pool.Connector.OnOpen = () => mostOpen = Math.Max(mostOpen, pool.Connector.OpenNow);
        var first = pool.Acquire();
        var waiting = pool.Acquire(CallerKind.Async);
        first.Retire(RetireReason.Broken);
        (await waiting).Release();
        Assert.Equal(0, mostOpen);
    }

    [Fact]
    public void Retire_OfAnUnhealthyConnection_IsLoggedAsWarning()
    {
        using var pool = PoolHarness.Create();
        pool.Acquire().Retire(RetireReason.Broken);
        var (level, _, text) = Assert.Single(pool.Logger.Entries, e => e.Id.Id == 1003);
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Warning, level);
        Assert.Contains("Broken", text, StringComparison.Ordinal);
    }
}
