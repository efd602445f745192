using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class FaultyHolderTests
{
    [Theory, InlineData(CallerKind.Sync), InlineData(CallerKind.Async)]
    public async Task QueryWaitTimeout_WhenAHolderCannotBeAsked_StillEndsTheWait(CallerKind kind)
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var lease = pool.Pool.Acquire(new FaultyHolder());
        var caller = pool.Acquire(kind);
        pool.Time.Advance(TimeSpan.FromSeconds(30));
        var error = await Assert.ThrowsAsync<QueryWaitTimeoutException>(() => caller);
        Assert.Equal(new LeaseInfo(0, TimeSpan.FromSeconds(30), null, null), Assert.Single(error.OldestLeases));
        lease.Release();
    }
}
