using System.Globalization;
using EfPooling.AdoNet;

namespace EfPooling.Interleavings.Tests;

/// <summary>
/// Random scenarios under random interleavings: two or three flows use one connection in every way, and end each other's transactions, readers and the
/// connection. One operation runs at a time, none fails but by being refused or late, and the connection is free in the end.
/// </summary>
/// <remarks><c>EFPOOLING_SEED</c> sets where the random numbers begin, <c>EFPOOLING_INTERLEAVINGS</c> how many there are (default 2,000).</remarks>
public sealed class RandomScenarioTests(ExplorationFixture fixture, ITestOutputHelper output) : ExplorationTest(fixture, output)
{
    private static readonly int Interleavings
        = int.Parse(Environment.GetEnvironmentVariable("EFPOOLING_INTERLEAVINGS") ?? "2000", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(ConcurrentUseMode.Throw, NestedCommandMode.Refuse)]
    [InlineData(ConcurrentUseMode.Serialize, NestedCommandMode.Refuse)]
    [InlineData(ConcurrentUseMode.Throw, NestedCommandMode.OwnServerConnection)]
    public void WhateverFlowsDo_TheConnectionIsFreeInTheEnd(ConcurrentUseMode mode, NestedCommandMode nested)
    {
        var seed = Environment.GetEnvironmentVariable("EFPOOLING_SEED") is { Length: > 0 } given ? int.Parse(given, CultureInfo.InvariantCulture) : Random.Shared.Next(1_000_000);
        Output.WriteLine($"EFPOOLING_SEED={seed}");
        using var pool = Fixture.CreatePool(mode, size: 8, configure: options => options.NestedCommands = nested);
        Explorer.ExploreAtRandom(random => Create(new ConnectionWorld(pool), random), Interleavings, seed);
    }

    private static Scenario Create(ConnectionWorld world, Random random)
    {
        var scenario = world.NewScenario();
        var cancellation = new CancellationTokenSource();
        LogicalTransaction? transaction = null;
        LogicalDataReader? reader = null;
        scenario.AtEnd = () =>
        {
            Assert.False(world.Connection.CurrentTransaction is { IsAbandoned: true });
            transaction?.Dispose();
            world.VerifyFree();
        };
        for (var flow = random.Next(2, 4); flow > 0; flow--)
        {
            var acts = Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(12)).ToArray();
            scenario.Flow(string.Join(' ', acts), () => Array.ForEach(acts, act => world.TryLate(() => Act(act))));
        }

        return scenario;

        void Act(int act)
        {
            switch (act)
            {
                case 0 or 1:
                    world.Statement();
                    break;
                case 2 or 3:
                    world.StatementAsync();
                    break;
                case 4:
                    Cancellable(() => world.StatementAsync(cancellation.Token));
                    break;
                case 5:
                    cancellation.Cancel();
                    break;
                case 6:
                    transaction = world.Connection.BeginTransaction();
                    break;
                case 7:
                    transaction?.CommitAsync().GetAwaiter().GetResult();
                    break;
                case 8:
                    transaction?.Dispose();
                    break;
                case 9:
                    using (var own = reader = (LogicalDataReader)new LogicalCommand("SELECT generate_series(1, 3)", world.Connection).ExecuteReader())
                    {
                        own.Read();
                    }

                    break;
                case 10:
                    reader?.CloseAsync().GetAwaiter().GetResult();
                    break;
                default:
                    world.Connection.CloseAsync().GetAwaiter().GetResult();
                    break;
            }
        }
    }

    private static void Cancellable(Action act)
    {
        try
        {
            act();
        }
        catch (OperationCanceledException)
        {
            // As the other flow wants.
        }
    }
}
