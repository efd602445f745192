using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class CancelTests
{
    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Cancel_WhileWaiting_LosesThePlaceOnly(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        using var cancellation = new CancellationTokenSource();
        var occupied = pool.Acquire();
        var cancelled = pool.Acquire(kind, null, cancellation.Token);
        var next = pool.Acquire(kind);
        await cancellation.CancelAsync();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal(cancellation.Token, error.CancellationToken);
        Assert.Equal(1, pool.Snapshot.Waiting);
        occupied.Release();
        (await next).Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Cancel_WhileAConnectionOpens_LetsItOpen(CallerKind kind)
    {
        using var pool = PoolHarness.Create();
        using var cancellation = new CancellationTokenSource();
        pool.Connector.HoldOpens = true;
        var cancelled = pool.Acquire(kind, null, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        var open = pool.Connector.Pending.Single();
        Assert.False(open.CancellationToken.IsCancellationRequested);
        open.Succeed();
        Assert.Equal(1, pool.Snapshot.Idle);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Cancel_AfterTheConnectionWasHandedOver_ComesTooLate(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        using var cancellation = new CancellationTokenSource();
        var occupied = pool.Acquire();
        var waiting = pool.Acquire(kind, null, cancellation.Token);
        occupied.Release();
        await cancellation.CancelAsync();
        (await waiting).Release();
    }

    [Fact]
    public async Task Cancel_OfTheLastInTheQueue_LeavesTheOthersInOrder()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        using var cancellation = new CancellationTokenSource();
        var occupied = pool.Acquire();
        var first = pool.Acquire(CallerKind.Async);
        var second = pool.Acquire(CallerKind.Async);
        var last = pool.Acquire(CallerKind.Async, null, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => last);
        occupied.Release();
        (await first).Release();
        (await second).Release();
    }
}
