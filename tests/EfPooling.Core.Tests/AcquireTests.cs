using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class AcquireTests
{
    [Fact]
    public async Task Acquire_GoesToWhoHasWaitedLongest_AlsoIfThatWasElsewhere()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1).Occupy(1);
        var began = pool.Pool.Now;
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        var late = pool.Acquire(CallerKind.Async);
        var early = pool.Pool.AcquireAsync(null, began, CancellationToken.None).AsTask();
        pool.Vacate();
        var lease = await early;
        Assert.False(late.IsCompleted);
        lease.Release();
        (await late).Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_FromAnEmptyPool_OpensAConnection(CallerKind kind)
    {
        using var pool = PoolHarness.Create();
        var lease = await pool.Acquire(kind);
        Assert.Same(pool.Connector.Opened.Single(), lease.Connection);
        lease.Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_WithAWarmConnection_TakesItWithoutOpening(CallerKind kind)
    {
        using var pool = PoolHarness.Create().WarmUp(1);
        (await pool.Acquire(kind)).Release();
        Assert.Equal(1, pool.Connector.Attempts);
    }

    [Fact]
    public async Task Acquire_WithAWarmConnection_EndsSynchronously()
    {
        using var pool = PoolHarness.Create().WarmUp(1);
        var call = pool.Pool.AcquireAsync();
        Assert.True(call.IsCompletedSuccessfully);
        (await call).Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_WhenFull_IsServedInArrivalOrder(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var first = pool.Acquire();
        var callers = new List<Task<Lease<FakeConnection>>>();
        for (var i = 0; i < 4; i++)
        {
            callers.Add(pool.Acquire(kind));
        }

        first.Release();
        foreach (var (index, caller) in callers.Index())
        {
            var lease = await caller;
            Assert.All(callers.Skip(index + 1), later => Assert.False(later.IsCompleted));
            lease.Release();
        }
    }

    [Fact]
    public async Task Acquire_ByASyncCallerBehindAnAsyncOne_KeepsTheOrder()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var occupied = pool.Acquire();
        var first = pool.Acquire(CallerKind.Async);
        var second = pool.Acquire(CallerKind.Sync);
        var third = pool.Acquire(CallerKind.Async);
        occupied.Release();
        (await first).Release();
        (await second).Release();
        (await third).Release();
    }

    [Fact]
    public void Acquire_BelowMaxPoolSize_NeverSharesAConnection()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 5).Occupy(5);
        Assert.Equal(5, pool.Connector.OpenNow);
        Assert.Equal(5, pool.Snapshot.InUse);
        pool.Vacate();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_WhileAConnectionOpens_TakesOneThatIsReleasedFirst(CallerKind kind)
    {
        using var pool = PoolHarness.Create().Occupy(1);
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(kind);
        Assert.Single(pool.Connector.Pending);
        pool.Vacate();
        var lease = await caller;
        Assert.Equal(1, lease.Connection.Id);

        pool.Connector.Pending.Single().Succeed();
        Assert.Equal(1, pool.Snapshot.Idle);
        lease.Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_WhileAConnectionOpens_WaitsForIt(CallerKind kind)
    {
        using var pool = PoolHarness.Create();
        pool.Connector.HoldOpens = true;
        var caller = pool.Acquire(kind);
        Assert.False(caller.IsCompleted);
        var connection = pool.Connector.Pending.Single().Succeed();
        var lease = await caller;
        Assert.Same(connection, lease.Connection);
        lease.Release();
    }

    [Fact]
    public async Task Acquire_ByManyAtOnce_OpensOnlyAFewAtATime()
    {
        using var pool = PoolHarness.Create(o => (o.MaxPoolSize, o.MaxConcurrentOpens) = (20, 3));
        pool.Connector.HoldOpens = true;
        var callers = Enumerable.Range(0, 10).Select(_ => pool.Acquire(CallerKind.Async)).ToList();
        for (var opened = 0; opened < 10; opened++)
        {
            Assert.Equal(Math.Min(3, 10 - opened), pool.Connector.Pending.Count);
            pool.Connector.Pending[0].Succeed();
            await callers[opened];
        }

        foreach (var caller in callers)
        {
            (await caller).Release();
        }

        Assert.Equal(10, pool.Connector.Attempts);
    }

    [Fact]
    public async Task Acquire_WithFewerCallersThanConcurrentOpens_OpensOnePerCaller()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 10);
        pool.Connector.HoldOpens = true;
        var first = pool.Acquire(CallerKind.Async);
        var second = pool.Acquire(CallerKind.Async);
        Assert.Equal(2, pool.Snapshot.Opening);
        pool.Connector.Pending[0].Succeed();
        pool.Connector.Pending[0].Succeed();
        (await first).Release();
        (await second).Release();
    }

    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task Acquire_WithTheTokenCancelledBefore_TakesNothing(CallerKind kind)
    {
        using var pool = PoolHarness.Create();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pool.Acquire(kind, null, new CancellationToken(true)));
        Assert.Equal(0, pool.Connector.Attempts);
        Assert.Equal(0, pool.Snapshot.Waits);
    }

    [Fact]
    public void Constructor_WithoutOptionsOrConnector_Throws()
    {
        Assert.Throws<ArgumentNullException>(() => new ServerConnectionPool<FakeConnection>(null!, new FakeConnector()));
        Assert.Throws<ArgumentNullException>(() => new ServerConnectionPool<FakeConnection>(new PoolOptions(), null!));
    }

    [Fact]
    public async Task Constructor_WithoutTimeAndLogger_UsesTheSystems()
    {
        await using var pool = new ServerConnectionPool<FakeConnection>(new PoolOptions(), new FakeConnector());
        Assert.Equal("pool", pool.Name);
        (await pool.AcquireAsync()).Release();
        Assert.Equal(1, pool.GetSnapshot().Idle);
    }

    [Fact]
    public void Constructor_CopiesTheOptions()
    {
        PoolOptions? seen = null;
        using var pool = PoolHarness.Create(o => seen = o);
        seen!.MaxPoolSize = 50;
        Assert.Equal(2, pool.Snapshot.MaxPoolSize);
    }
}
