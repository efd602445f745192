using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class LeaseMisuseTests
{
    [Fact]
    public void Lease_AfterRelease_ThrowsWhateverIsAsked()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        Assert.True(lease.IsActive);
        lease.Release();
        Assert.False(lease.IsActive);
        Assert.Throws<LeaseEndedException>(() => lease.Connection);
        Assert.Throws<LeaseEndedException>(lease.Release);
        Assert.Throws<LeaseEndedException>(() => lease.Retire(RetireReason.Broken));
        Assert.Throws<LeaseEndedException>(() => lease.RetireAtEnd(RetireReason.Exposed));
        Assert.Equal(1, pool.Snapshot.Idle);
    }

    [Fact]
    public void Lease_AfterRelease_DoesNotTouchTheNextHolder()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var first = pool.Acquire();
        first.Release();
        var second = pool.Acquire();
        Assert.Throws<LeaseEndedException>(first.Release);
        Assert.Throws<LeaseEndedException>(() => first.Retire(RetireReason.Broken));
        Assert.Throws<LeaseEndedException>(() => first.RetireAtEnd(RetireReason.Exposed));
        Assert.True(second.IsActive);
        second.Release();
        Assert.Equal(1, pool.Snapshot.Idle);
    }

    [Fact]
    public void Lease_AfterRetire_HasEnded()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        lease.Retire(RetireReason.Broken);
        Assert.Throws<LeaseEndedException>(lease.Release);
        Assert.Throws<LeaseEndedException>(() => lease.Connection);
    }

    [Fact]
    public void Lease_Copied_EndsForEveryCopy()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        var copy = lease;
        Assert.True(lease == copy);
        Assert.Equal(lease.GetHashCode(), copy.GetHashCode());
        copy.Release();
        Assert.False(lease.IsActive);
        Assert.Throws<LeaseEndedException>(lease.Release);
    }

    [Fact]
    public void Lease_OfTheSameConnectionLater_IsAnotherLease()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 1);
        var first = pool.Acquire();
        first.Release();
        var second = pool.Acquire();
        Assert.True(first != second);
        Assert.False(first.Equals((object)second));
        Assert.False(first.Equals("a lease"));
        second.Release();
    }

    [Fact]
    public void DefaultLease_WasNeverGranted()
    {
        var lease = default(Lease<FakeConnection>);
        Assert.False(lease.IsActive);
        Assert.Throws<LeaseEndedException>(() => lease.Connection);
        Assert.Throws<LeaseEndedException>(lease.Release);
        Assert.Throws<LeaseEndedException>(() => lease.Retire(RetireReason.Broken));
        Assert.Throws<LeaseEndedException>(() => lease.RetireAtEnd(RetireReason.Exposed));
    }

    [Fact]
    public async Task Release_ByManyThreadsAtOnce_WorksExactlyOnce()
    {
        using var pool = PoolHarness.Create();
        using var start = new ManualResetEventSlim();
        var lease = pool.Acquire();
        var outcomes = Enumerable.Range(0, 4).Select(_ => DedicatedThread.Run(() =>
        {
            start.Wait();
            return Record.Exception(lease.Release);
        })).ToList();
        start.Set();
        var errors = await Task.WhenAll(outcomes);
        Assert.Single(errors, error => error is null);
        Assert.Equal(3, errors.Count(error => error is LeaseEndedException));
    }

    [Fact]
    public void Retire_ForAReasonThatDoesNotExist_IsRefused_AndTheLeaseRuns()
    {
        using var pool = PoolHarness.Create();
        var lease = pool.Acquire();
        Assert.Throws<ArgumentOutOfRangeException>(() => lease.Retire((RetireReason)99));
        Assert.Throws<ArgumentOutOfRangeException>(() => lease.RetireAtEnd((RetireReason)99));
        Assert.True(lease.IsActive);
        lease.Release();
        Assert.Equal(1, pool.Snapshot.Idle);
    }
}
