using EfPooling.AdoNet;

namespace EfPooling.Interleavings.Tests;

/// <summary>Whoever does one thing at a time is never refused, whatever others do on connections of their own; nor is what the options allow beside it.</summary>
/// <remarks>Seen to fail with a nested statement whose end is not counted.</remarks>
public sealed class NoFalseAlarmTests(ExplorationFixture fixture, ITestOutputHelper output) : ExplorationTest(fixture, output)
{
    [Theory]
    [InlineData(ConcurrentUseMode.Throw)]
    [InlineData(ConcurrentUseMode.Serialize)]
    public void FlowsThatHandTheConnectionOver_AreNeverRefused(ConcurrentUseMode mode)
    {
        using var pool = Fixture.CreatePool(mode);
        Explore(pool, world =>
        {
            var (toSecond, toThird) = (new FlowSignal(), new FlowSignal());
            world.Also = () => Assert.Equal((4, 0, 4L), (world.Ran, world.Refused, world.LeasesGranted));
            return world.NewScenario()
                .Flow("first", () =>
                {
                    Assert.True(world.Statement());
                    toSecond.Set();
                    toThird.Wait();
                    Assert.True(world.StatementAsync());
                })
                .Flow("second", () =>
                {
                    toSecond.Wait();
                    Assert.True(world.StatementAsync() && world.Statement());
                    toThird.Set();
                });
        });
    }

    [Theory]
    [InlineData(ConcurrentUseMode.Throw)]
    [InlineData(ConcurrentUseMode.Serialize)]
    public void FlowsOnConnectionsOfTheirOwn_AreNeverRefused(ConcurrentUseMode mode)
    {
        using var pool = Fixture.CreatePool(mode);
        Explore(() =>
        {
            var worlds = Enumerable.Range(0, 3).Select(_ => new ConnectionWorld(pool)).ToArray();
            var scenario = new Scenario { AtEnd = () => Array.ForEach(worlds, world => world.VerifyFree()) };
            foreach (var world in worlds)
            {
                scenario.Flow("flow", () => Assert.True(world.StatementAsync() && world.Statement()));
            }

            return scenario;
        });
    }

    [Fact]
    public void SerializedFlows_AreNeverRefused_WithTransactionsAndCommandsOnTheServer()
    {
        using var pool = Fixture.CreatePool(ConcurrentUseMode.Serialize);
        Explore(pool, world => world.NewScenario()
            .Flow("commands", () => Assert.Equal(1, Ask(world)))
            .Flow("other", () => Assert.Equal(1, Ask(world))));
    }

    [Theory]
    [InlineData(ConcurrentUseMode.Throw)]
    [InlineData(ConcurrentUseMode.Serialize)]
    public void NestedStatements_RunBesideTheReader_AndTheConnectionIsFreeForFurtherOnes(ConcurrentUseMode mode)
    {
        using var pool = Fixture.CreatePool(mode, size: 4, configure: options => options.NestedCommands = NestedCommandMode.OwnServerConnection);
        Explore(pool, world =>
        {
            var reader = new LogicalCommand("SELECT generate_series(1, 2)", world.Connection).ExecuteReader();
            return world.NewScenario()
                .Flow("first", () => Assert.True(world.Statement()))
                .Flow("second", () => Assert.True(world.StatementAsync() && world.Statement()))
                .AtLast(() =>
                {
                    Assert.Same(reader, world.Gate.Reader());
                    Assert.True(reader.Read());
                    VerifyNestedLeasesAreFree(world, pool);
                    reader.Close();
                    world.VerifyFree();
                });
        });
    }

    // Whatever were still counted would take the place of one of these.
    private static void VerifyNestedLeasesAreFree(ConnectionWorld world, TransactionPoolingDataSource pool)
    {
        var readers = Enumerable.Range(0, pool.GetSnapshot().MaxPoolSize - 1)
            .Select(number => new LogicalCommand($"SELECT {number}", world.Connection).ExecuteReader()).ToList();
        Assert.Throws<ConcurrentUseException>(() => new LogicalCommand("SELECT 1", world.Connection).ExecuteScalar());
        readers.ForEach(reader => reader.Close());
    }

    private static int Ask(ConnectionWorld world) => (int)new LogicalCommand("SELECT 1", world.Connection).ExecuteScalarAsync().GetAwaiter().GetResult()!;
}
