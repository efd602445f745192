using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

/// <summary>A network has forgotten idle connections: a check gets no answer.</summary>
public sealed class SilentConnectionTests
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_AfterACheckWithoutAnswer_RetiresWhatWasIdleAsLong_AndOpens(CallerKind kind)
    {
        using var pool = Forgotten(10);
        var caller = pool.Acquire(kind);
        pool.Time.Advance(Longest - TimeSpan.FromMilliseconds(1));
        Assert.False(caller.IsCompleted);
        pool.Time.Advance(TimeSpan.FromMilliseconds(1));
        var lease = await caller;
        Assert.Equal(11, lease.Connection.Id);
        Assert.Single(pool.Connector.Checked);
        Assert.Equal(9, pool.Snapshot.Retired[RetireReason.FailedCheck]);
        lease.Release();
        Answer(pool);
        Assert.Equal(10, pool.Snapshot.Retired[RetireReason.FailedCheck]);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_AfterACheckWithoutAnswer_KeepsWhatWasUsedSince(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 3).Occupy(3).Vacate(2);
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        pool.Connector.Silent[pool.Connector.Opened[1]] = new TaskCompletionSource<bool>();
        var caller = pool.Acquire(kind);
        pool.Vacate();
        pool.Time.Advance(Longest);
        var lease = await caller;
        Assert.Equal(3, lease.Connection.Id);
        Assert.Equal(1, pool.Snapshot.Retired[RetireReason.FailedCheck]);
        lease.Release();
        Answer(pool);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Check_IsBoundedByHalfOfWhatIsLeftOfTheWait(CallerKind kind)
    {
        using var pool = Forgotten(3, TimeSpan.FromSeconds(2));
        var caller = pool.Acquire(kind);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        (await caller).Release();
        Answer(pool);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_WhenNothingElseCanBeHad_GivesUpInTime(CallerKind kind)
    {
        using var pool = Forgotten(1, TimeSpan.FromSeconds(2));
        var waits = pool.Time.NextTimer();
        var caller = pool.Acquire(kind);
        await waits;
        var queued = pool.Time.NextTimer();
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        await queued;
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => caller);
        Answer(pool);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Cancel_DuringACheckWithoutAnswer_EndsTheCallAtOnce_AndLeavesTheOthers(CallerKind kind)
    {
        using var pool = Forgotten(2);
        using var cancellation = new CancellationTokenSource();
        var caller = pool.Acquire(kind, null, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => caller);
        Assert.Equal(1, pool.Snapshot.Idle);
        Answer(pool);
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task AnAnswerThatComesLate_KeepsTheConnection(CallerKind kind)
    {
        using var pool = Forgotten(1);
        var caller = pool.Acquire(kind);
        var queued = pool.Time.NextTimer();
        pool.Time.Advance(Longest);
        await queued;
        Answer(pool, isAlive: true);
        var lease = await caller;
        Assert.Equal(1, lease.Connection.Id);
        lease.Release();
    }

    // Every connection is idle for too long, and none answers.
    private static PoolHarness Forgotten(int connections, TimeSpan? wait = null)
    {
        var pool = PoolHarness.Create(o =>
        {
            (o.MaxPoolSize, o.MaxConcurrentOpens) = (connections, connections);
            o.QueryWaitTimeout = wait ?? o.QueryWaitTimeout;
        }).WarmUp(connections);
        pool.Time.Advance(TimeSpan.FromMinutes(1));
        foreach (var connection in pool.Connector.Opened)
        {
            pool.Connector.Silent[connection] = new TaskCompletionSource<bool>();
        }

        return pool;
    }

    private static void Answer(PoolHarness pool, bool isAlive = false)
    {
        foreach (var answer in pool.Connector.Silent.Values)
        {
            answer.TrySetResult(isAlive);
        }
    }
}
