using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

/// <summary>Reconnect replaces every connection, one after the other, and fails nobody.</summary>
public sealed class ReconnectTests
{
    private static readonly TimeSpan Over = TimeSpan.FromSeconds(8);

    private static PoolHarness Pool(int size = 4) => PoolHarness.Create(o => o.MaxPoolSize = size);

    [Fact]
    public void IdleConnections_AreReplacedOneAfterTheOther_InThatTime()
    {
        using var pool = Pool().WarmUp(4);
        pool.Pool.Reconnect(Over);
        for (var replaced = 1; replaced <= 4; replaced++)
        {
            Assert.Equal((replaced, 4 - replaced), (pool.Connector.Closed.Count, pool.Snapshot.Outdated));
            Assert.Equal((4, replaced), (pool.Snapshot.Idle, pool.Snapshot.Retired[RetireReason.Reconnected]));
            pool.Time.Advance(Over / 4 + TimeSpan.FromMilliseconds(1));
        }

        pool.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([1, 2, 3, 4], pool.Connector.Closed.Select(connection => connection.Id).Order());
        Assert.Equal(4, pool.Snapshot.Idle);
    }

    [Fact]
    public void ConnectionInUse_IsReplacedAtItsRelease_OnceItsTurnHasCome()
    {
        using var pool = Pool();
        var lease = pool.Acquire();
        var later = pool.Acquire();
        pool.Pool.Reconnect(Over);
        Assert.True(lease.IsActive && later.IsActive);
        lease.Release();
        Assert.Equal([1], pool.Connector.Closed.Select(connection => connection.Id));
        later.Release(); // Before its turn.
        Assert.Single(pool.Connector.Closed);
        pool.Time.Advance(Over);
        Assert.Equal([1, 2], pool.Connector.Closed.Select(connection => connection.Id));
        Assert.Equal((0, 2), (pool.Snapshot.Outdated, pool.Snapshot.Idle));
    }

    [Fact]
    public async Task WaitingCallers_AreServed_WhileConnectionsAreReplaced()
    {
        using var pool = Pool(size: 1);
        var lease = pool.Acquire();
        var waiting = pool.Acquire(CallerKind.Async);
        pool.Pool.Reconnect(TimeSpan.Zero);
        lease.Release();
        var next = await waiting;
        Assert.Equal(2, next.Connection.Id);
        next.Release();
        Assert.Equal(2, pool.Acquire().Connection.Id);
        pool.LeasesLeftOut = 1;
    }

    [Fact]
    public async Task OpenUnderWay_IsReplacedToo()
    {
        using var pool = Pool();
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        var old = pool.Connector.Pending.Single();
        pool.Pool.Reconnect(TimeSpan.Zero);
        Assert.Equal(1, pool.Snapshot.Outdated);
        old.Succeed();
        var fresh = pool.Connector.Pending.Single();
        Assert.Equal(0, pool.Snapshot.Outdated);
        fresh.Succeed();
        Assert.Equal(2, (await caller).Connection.Id);
        (await caller).Release();
    }

    [Fact]
    public void NextConnection_IsClosed_OnlyWhenTheLastOneWasReplaced()
    {
        using var pool = Pool().WarmUp(3);
        pool.Connector.HoldOpens = true;
        pool.Pool.Reconnect(TimeSpan.Zero);
        for (var replaced = 1; replaced <= 3; replaced++)
        {
            Assert.Equal((replaced, 1), (pool.Connector.Closed.Count, pool.Snapshot.Opening));
            pool.Time.Advance(TimeSpan.FromSeconds(30));
            pool.Connector.Pending.Single().Succeed();
            pool.Time.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal(3, pool.Snapshot.Idle);
    }

    [Fact]
    public void ServerThatLetsNobodyIn_CostsOneConnection_AndTheOthersAreReplacedWhenItDoes()
    {
        using var pool = Pool().WarmUp(4);
        pool.Connector.OpenError = new InvalidOperationException("password authentication failed");
        pool.Pool.Reconnect(Over);
        pool.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((3, 3), (pool.Snapshot.Idle, pool.Snapshot.Outdated));
        Assert.True(pool.Snapshot.OpenFailures > 5, "No further attempts were made.");

        pool.Connector.OpenError = null;
        pool.Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((4, 0), (pool.Snapshot.Idle, pool.Snapshot.Outdated));
        Assert.Equal([1, 2, 3, 4], pool.Connector.Closed.Select(connection => connection.Id).Order());
    }

    [Fact]
    public async Task AfterAFailedLogin_AnAttemptIsMadeBeforeAConnectionIsGivenUp()
    {
        using var pool = Pool(size: 2);
        pool.Connector.HoldOpens = true;
        var first = pool.Acquire(CallerKind.Async);
        var second = pool.Acquire(CallerKind.Async);
        pool.Connector.Pending[0].Succeed();
        pool.Connector.Pending[0].Fail(new InvalidOperationException("cut"));
        (await first).Release();
        (await second).Release();
        Assert.Equal(1, pool.Snapshot.OpenFailures);
        pool.Pool.Reconnect(TimeSpan.Zero);
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        pool.Connector.HoldOpens = false;
        pool.Connector.Pending.Single().Succeed();
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, pool.Snapshot.Outdated);
        Assert.Equal([1], pool.Connector.Closed.Select(connection => connection.Id));
    }

    [Fact]
    public void SecondReconnect_ReplacesTheNewConnectionsToo()
    {
        using var pool = Pool(size: 2).WarmUp(2);
        pool.Pool.Reconnect(Over);
        Assert.Equal(1, pool.Snapshot.Outdated);
        pool.Pool.Reconnect(Over);
        Assert.Equal((1, 2), (pool.Snapshot.Outdated, pool.Connector.Closed.Count)); // The third connection is new, and has its turn.
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal([1, 2, 3], pool.Connector.Closed.Select(connection => connection.Id).Order());
        Assert.Equal(0, pool.Snapshot.Outdated);
    }

    [Fact]
    public async Task Reconnect_OfAPausedOrClosedPool_HasNothingToReplace()
    {
        using var pool = Pool().WarmUp(2);
        await pool.Pool.PauseAsync();
        pool.Pool.Reconnect(Over);
        Assert.Equal(0, pool.Snapshot.Outdated);
        pool.Pool.Resume();
        await pool.Pool.CloseAsync(TimeSpan.Zero);
        pool.Pool.Reconnect(Over);
        Assert.Equal(0, pool.Snapshot.Outdated);
    }

    [Fact]
    public void Clear_OvertakesAReconnect()
    {
        using var pool = Pool().WarmUp(4);
        pool.Pool.Reconnect(Over);
        pool.Pool.Clear();
        Assert.Equal((0, 0), (pool.Snapshot.Outdated, pool.Snapshot.Idle));
        pool.Time.Advance(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void TimeOutsideItsRange_IsRefused()
    {
        using var pool = Pool().WarmUp(1);
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Pool.Reconnect(TimeSpan.FromSeconds(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Pool.Reconnect(TimeSpan.FromDays(25)));
        Assert.Equal(0, pool.Snapshot.Outdated);
    }
}
