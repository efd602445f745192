namespace EfPooling.Benchmarks.Load.Report;

/// <summary>What a scenario found out.</summary>
internal sealed record ScenarioResult
{
    public required string Name { get; init; }

    public required string Description { get; init; }

    public required ResultTable Table { get; init; }

    public required IReadOnlyList<Ratio> Ratios { get; init; }

    /// <summary>What a reader of the table must know: errors, what was left out.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    public required IReadOnlyList<Chart> Charts { get; init; }

    /// <summary>All numbers, for the JSON file.</summary>
    public required object Data { get; init; }
}
