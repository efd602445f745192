using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class FaultyConnectorTests
{
    private readonly Exception _fault = new InvalidOperationException("a fault of the connector");

    [Fact]
    public void Close_ThatThrows_IsLogged_AndDisturbsNobody()
    {
        using var pool = PoolHarness.Create().WarmUp(2);
        pool.Connector.OnClose = _ => throw _fault;
        pool.Pool.Clear();
        pool.Acquire().Retire(RetireReason.Broken);
        Assert.Equal(2, pool.Snapshot.Free);
        Assert.Equal(3, pool.Logger.Entries.Count(e => e.Id.Id == 1007));
    }

    [Fact]
    public void Close_ThatThrowsInTheSweep_DoesNotReachTheTimer()
    {
        using var pool = PoolHarness.Create(o => o.ServerIdleTimeout = TimeSpan.FromMinutes(1)).WarmUp(2);
        pool.Connector.OnClose = _ => throw _fault;
        pool.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(2, pool.Snapshot.Free);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Check_ThatThrows_LosesNoConnection(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.ServerCheckDelay = TimeSpan.Zero).WarmUp(1);
        pool.Connector.OnCheck = _ => throw _fault;
        Assert.Same(_fault, await Record.ExceptionAsync(() => pool.Acquire(kind)));
        Assert.Equal(2, pool.Snapshot.Free);
        Assert.Single(pool.Connector.Closed);
    }

    [Fact]
    public async Task CancellationOfAnOpen_ThatThrows_LeavesNobodyWaiting()
    {
        using var pool = PoolHarness.Create().WarmUp(1).Occupy(1);
        pool.Connector.HoldOpens = true;
        var waiting = pool.Acquire(CallerKind.Async);
        await using var faulty = pool.Connector.Pending.Single().CancellationToken.Register(() => throw _fault);
        Assert.False(await pool.Pool.CloseAsync(TimeSpan.Zero));
        Assert.Equal(0, pool.Snapshot.Waiting);
        await Assert.ThrowsAsync<PoolClosedException>(() => waiting);
        pool.Vacate();
    }
}
