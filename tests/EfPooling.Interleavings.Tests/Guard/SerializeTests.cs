using EfPooling.AdoNet;
using EfPooling.Testing;

namespace EfPooling.Interleavings.Tests;

/// <summary>
/// Mode Serialize: everybody gets a turn, and whoever is queued before another one calls has its turn before that one; a waiter that is cancelled, times out
/// or is refused leaves no hole. An interleaving in which somebody waits for ever fails as one in which nobody can move.
/// </summary>
/// <remarks>Seen to fail without either look at the other side: at the queue after the gate is exited, at the gate after a place is added.</remarks>
public sealed class SerializeTests(ExplorationFixture fixture, ITestOutputHelper output) : ExplorationTest(fixture, output)
{
    [Fact]
    public void AsynchronousStatementsOfThreeFlows_AllRun_InOrderOfArrival()
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Serialize);
        Explore(pool, world =>
        {
            world.Also = () => Assert.Equal((4, 0), (world.Ran, world.Refused));
            return world.NewScenario()
                .Flow("first", () => world.StatementAsync())
                .Flow("second", () => world.StatementAsync())
                .Flow("third", () => _ = (world.StatementAsync(), world.StatementAsync()));
        });
    }

    [Fact]
    public void AsynchronousStatementsOfTwoFlows_AllRun_InOrderOfArrival()
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Serialize);
        Explore(
            pool,
            world =>
            {
                world.Also = () => Assert.Equal((4, 0), (world.Ran, world.Refused));
                return world.NewScenario()
                    .Flow("first", () => _ = (world.StatementAsync(), world.StatementAsync()))
                    .Flow("second", () => _ = (world.StatementAsync(), world.StatementAsync()));
            },
            seesPlainAccesses: true);
    }

    [Fact]
    public void CancelledWaiter_LeavesNoHole()
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Serialize);
        Explore(pool, world =>
        {
            var cancellation = new CancellationTokenSource();
            world.Also = () => Assert.Equal(0, world.Refused);
            return world.NewScenario()
                .Flow("cancels", () =>
                {
                    Assert.True(world.StatementAsync());
                    cancellation.Cancel();
                })
                .Flow("cancelled", () => Assert.True(Record.Exception(() => world.StatementAsync(cancellation.Token)) is null or OperationCanceledException))
                .Flow("behind", () => Assert.True(world.StatementAsync()));
        });
    }

    [Fact]
    public void WaiterThatTimesOut_LeavesNoHole()
    {
        var time = new ManualTimeProvider();
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Serialize, time: time);
        Explore(pool, world => world.NewScenario()
            .Flow("time", () =>
            {
                SwitchPoint.Reach("time passes");
                time.Advance(TimeSpan.FromSeconds(31));
            })
            .Flow("first", () => world.StatementAsync())
            .Flow("second", () => world.StatementAsync()));
    }

    [Fact]
    public void StatementAndCommit_BothRun()
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Serialize);
        Explore(pool, world =>
        {
            var transaction = world.Connection.BeginTransaction();
            world.Also = () => Assert.Equal((1, 0), (world.Ran, world.Refused));
            return world.NewScenario()
                .Flow("statement", () => world.StatementAsync())
                .Flow("commit", () => transaction.CommitAsync().GetAwaiter().GetResult());
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Close_LeavesNobodyWaiting(bool asynchronous)
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Serialize);
        Explore(pool, world => world.NewScenario()
            .Flow("first", () => world.TryLate(() => world.StatementAsync()))
            .Flow("second", () => world.TryLate(() => world.StatementAsync()))
            .Flow("close", () =>
            {
                if (asynchronous)
                {
                    world.Connection.CloseAsync().GetAwaiter().GetResult();
                }
                else
                {
                    world.Connection.Close();
                }
            }));
    }
}
