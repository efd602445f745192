using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests;

public sealed class ReuseOrderTests
{
    private static List<int> UseOneAfterAnother(PoolHarness pool)
    {
        var used = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            var lease = pool.Acquire();
            used.Add(lease.Connection.Id);
            lease.Release();
        }

        return used;
    }

    [Fact]
    public void ByDefault_TheConnectionUsedLastIsUsedNext()
    {
        using var pool = PoolHarness.Create(o => o.MaxPoolSize = 3).WarmUp(3);
        Assert.Equal([3, 3, 3, 3], UseOneAfterAnother(pool));
    }

    [Fact]
    public void ServerRoundRobin_UsesTheConnectionThatWasIdleTheLongest()
    {
        using var pool = PoolHarness.Create(o => (o.MaxPoolSize, o.ServerRoundRobin) = (3, true)).WarmUp(3);
        Assert.Equal([1, 2, 3, 1], UseOneAfterAnother(pool));
    }
}
