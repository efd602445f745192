using System.Globalization;
using EfPooling.AdoNet;

namespace EfPooling.Interleavings.Tests;

/// <summary>
/// Explores scenarios on pools of their own. Two flows are explored with plain accesses, three with the atomic ones; <c>EFPOOLING_INTERRUPTIONS</c> sets how
/// often flows are interrupted (default 2; each one more multiplies the time by about fifty).
/// </summary>
[Collection(Exploration.Name)]
public abstract class ExplorationTest(ExplorationFixture fixture, ITestOutputHelper output)
{
    private static readonly int Interruptions = int.Parse(Environment.GetEnvironmentVariable("EFPOOLING_INTERRUPTIONS") ?? "2", CultureInfo.InvariantCulture);

    internal ExplorationFixture Fixture => fixture;

    protected ITestOutputHelper Output => output;

    internal void Explore(TransactionPoolingDataSource pool, Func<ConnectionWorld, Scenario> create, bool seesPlainAccesses = false)
        => Explore(() => create(new ConnectionWorld(pool)), seesPlainAccesses);

    protected void Explore(Func<Scenario> create, bool seesPlainAccesses = false)
        => output.WriteLine($"{Explorer.ExploreAll(create, Interruptions, seesPlainAccesses)} interleavings");
}
