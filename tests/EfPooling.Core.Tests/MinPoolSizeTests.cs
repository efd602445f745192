using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class MinPoolSizeTests
{
    private static PoolHarness Pool() => PoolHarness.Create(o => (o.MaxPoolSize, o.MinPoolSize, o.MaxConcurrentOpens) = (8, 5, 2));

    [Fact]
    public void MinPoolSize_IsFilledByTheFirstCaller()
    {
        using var pool = Pool();
        pool.Acquire().Release();
        Assert.Equal(5, pool.Snapshot.Idle);
    }

    [Fact]
    public async Task WarmUp_ReturnsWithTheFirst_AndOpensTheOthersAFewAtATime()
    {
        using var pool = Pool();
        pool.Connector.HoldOpens = true;
        var warmUp = pool.Pool.WarmUpAsync().AsTask();
        Assert.Equal(2, pool.Connector.Pending.Count);
        pool.Connector.Pending[0].Succeed();
        await warmUp;
        while (pool.Connector.Pending.Count > 0)
        {
            Assert.InRange(pool.Connector.Pending.Count, 1, 2);
            pool.Connector.Pending[0].Succeed();
        }

        Assert.Equal(5, pool.Snapshot.Idle);
    }

    [Fact]
    public async Task WarmUp_WithoutMinPoolSize_OpensOne()
    {
        using var pool = PoolHarness.Create();
        await pool.Pool.WarmUpAsync();
        Assert.Equal(1, pool.Snapshot.Idle);
    }

    [Fact]
    public void MinPoolSize_AfterAConnectionBroke_IsFilledAgain()
    {
        using var pool = Pool();
        pool.Acquire().Retire(RetireReason.Broken);
        Assert.Equal(5, pool.Snapshot.Idle);
    }

    [Fact]
    public void MinPoolSize_AfterClear_IsFilledAgain()
    {
        using var pool = Pool().WarmUp(1);
        pool.Pool.Clear();
        Assert.Equal(5, pool.Snapshot.Idle);
        Assert.Equal(10, pool.Connector.Attempts);
    }

    [Fact]
    public void MinPoolSize_AfterFailedLogins_IsFilledAfterThePause()
    {
        using var pool = Pool().WarmUp(1);
        pool.Connector.OpenError = new InvalidOperationException("down");
        pool.Acquire().Retire(RetireReason.Broken);
        Assert.Equal(4, pool.Snapshot.Idle);
        pool.Connector.OpenError = null;
        pool.Time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal(5, pool.Snapshot.Idle);
    }

    [Fact]
    public void MinPoolSize_IsFilledByTheSweep_WithoutAnyCaller()
    {
        using var pool = Pool();
        Assert.Equal(0, pool.Connector.Attempts);
        pool.Time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(5, pool.Snapshot.Idle);
    }

    [Fact]
    public void MinPoolSize_SurvivesManyLifetimes()
    {
        using var pool = Pool().WarmUp(1);
        for (var hour = 0; hour < 24; hour++)
        {
            pool.Time.Advance(TimeSpan.FromHours(1));
            Assert.Equal(5, pool.Snapshot.Idle);
        }

        Assert.True(pool.Snapshot.Retired[RetireReason.Lifetime] > 5);
    }
}
