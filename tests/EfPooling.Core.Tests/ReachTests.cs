using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

/// <summary>Callers who only want to know whether the server can be reached, as those who open connections do.</summary>
public sealed class ReachTests
{
    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task ColdPool_ServesAllAskersAtOnce_WithoutALease(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxConcurrentOpens = 1);
        pool.Connector.HoldOpens = true;
        var askers = Enumerable.Range(0, 20).Select(_ => Ask(pool, kind)).ToList();
        Assert.Equal(20, pool.Snapshot.Waiting);
        pool.Connector.Pending.Single().Succeed();
        await Task.WhenAll(askers);
        Assert.Equal((0L, 1L), (pool.Snapshot.LeasesGranted, pool.Snapshot.Opened));
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Askers_AreServedByAConnectionThatACallerGets(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(CallerKind.Async);
        var asker = Ask(pool, kind);
        pool.Connector.Pending.Single().Succeed();
        await asker;
        (await caller).Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Askers_AreToldWhatTheServerSays(CallerKind kind)
    {
        var refused = new InvalidOperationException("refused");
        using var pool = PoolHarness.Create(o => o.MaxConcurrentOpens = 1);
        pool.Connector.HoldOpens = true;
        var askers = Enumerable.Range(0, 3).Select(_ => Ask(pool, kind)).ToList();
        pool.Connector.Pending.Single().Fail(refused);
        foreach (var asker in askers)
        {
            Assert.Same(refused, await Record.ExceptionAsync(() => asker));
        }
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Asker_GivesUpAfterQueryWaitTimeout(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.QueryWaitTimeout = TimeSpan.FromSeconds(1));
        pool.Connector.HoldOpens = true;
        var asker = Ask(pool, kind);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => asker);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Asker_CanBeCancelled(CallerKind kind)
    {
        using var pool = PoolHarness.Create();
        using var cancellation = new CancellationTokenSource();
        pool.Connector.HoldOpens = true;
        var asker = Ask(pool, kind, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asker);
    }

    [Fact]
    public async Task Close_RefusesAskers()
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var asker = Ask(pool, CallerKind.Async);
        await pool.Pool.CloseAsync(TimeSpan.Zero);
        await Assert.ThrowsAsync<PoolClosedException>(() => asker);
    }

    [Fact]
    public async Task CallersWhoHaveWaitedElsewhere_HaveTheRestOfTheTimeout_AndTheirPlace()
    {
        using var pool = PoolHarness.Create(o => (o.MaxPoolSize, o.QueryWaitTimeout) = (1, TimeSpan.FromSeconds(10))).Occupy(1);
        var later = pool.Acquire(CallerKind.Async);
        var started = pool.Pool.Now - TimeSpan.FromSeconds(4).Ticks;
        var waits = pool.Time.NextTimer();
        var earlier = DedicatedThread.Run(() => pool.Pool.Acquire(null, started, CancellationToken.None));
        await waits;
        pool.Vacate();
        var lease = await earlier;
        Assert.False(later.IsCompleted);
        var tooLate = pool.Pool.AcquireAsync(null, started, CancellationToken.None).AsTask();
        pool.Time.Advance(TimeSpan.FromSeconds(6));
        await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => tooLate);
        Assert.False(later.IsCompleted);
        lease.Release();
        (await later).Release();
    }

    // Returns when the caller waits or has ended.
    private static Task Ask(PoolHarness pool, CallerKind kind, CancellationToken cancellationToken = default)
    {
        if (kind == CallerKind.Async)
        {
            return pool.Pool.EnsureReachableAsync(cancellationToken).AsTask();
        }

        var waits = pool.Time.NextTimer();
        var call = DedicatedThread.Run(() => pool.Pool.EnsureReachable(cancellationToken));
        Task.WaitAny([waits, call], CancellationToken.None);
        return call;
    }
}
