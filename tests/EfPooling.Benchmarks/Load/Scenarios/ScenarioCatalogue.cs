namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>The scenarios in the order in which they run.</summary>
internal static class ScenarioCatalogue
{
    /// <summary>Callers of <c>point-reads</c> and of what is derived from it.</summary>
    public const int PointReaders = 256;

    /// <summary>Stands for all scenarios.</summary>
    public const string All = "all";

    /// <summary>Stands for those whose servers are far away.</summary>
    public const string Far = "far";

    /// <summary>The scenario that others are derived from.</summary>
    public const string PointReads = "point-reads";

    private const string ReadOneRow = "256 callers, 10 server connections, each reads one row by key";

    /// <param name="backendLimit">How many connections one peer may open on the server in <c>idle</c>.</param>
    public static IReadOnlyList<Scenario> Create(int backendLimit) =>
    [
        new SteadyScenario(PointReads, ReadOneRow, PointReaders, Operations.ReadItemAsync),
        new SteadyScenario("point-reads-1", "one caller reads one row by key", 1, Operations.ReadItemAsync),
        new SteadyScenario("pages", "64 callers, 10 server connections, each reads 50 rows of 8 columns by index", 64, Operations.ReadPageAsync),
        new SteadyScenario("mixed", "64 callers, 10 server connections, 80 % read one row by key, 20 % update one", 64, Operations.ReadOrUpdateAsync) { IsWriting = true },
        new SteadyScenario("tpcb", "64 callers, 10 server connections, the five statements of pgbench in one transaction", 64, Operations.TransferAsync) { IsWriting = true },
        new SteadyScenario("held", "500 callers, 10 server connections; each opens a connection, reads, works for 20 ms, reads, closes", 500, Operations.HoldAsync),
        new BurstScenario(),
        new SteadyScenario(Far + "-1ms", ReadOneRow + "; the servers are a round trip of 1 ms away", PointReaders, Operations.ReadItemAsync) { RoundTrip = TimeSpan.FromMilliseconds(1) },
        new SteadyScenario(Far + "-5ms", ReadOneRow + "; the servers are a round trip of 5 ms away", PointReaders, Operations.ReadItemAsync) { RoundTrip = TimeSpan.FromMilliseconds(5) },
        new IdleScenario(backendLimit),
        new ScaleScenario(),
    ];

    /// <summary>Names that may be asked for.</summary>
    public static IReadOnlyList<string> Names { get; } = [All, Far, .. Create(0).Select(scenario => scenario.Name)];

    /// <summary>Those that were asked for, in the order in which they run.</summary>
    public static IReadOnlyList<Scenario> Choose(IReadOnlyList<string> names, int backendLimit)
        => [.. Create(backendLimit).Where(scenario => names.Any(name => name == All || name == scenario.Name || (name == Far && scenario.Name.StartsWith(Far + "-", StringComparison.Ordinal))))];
}
