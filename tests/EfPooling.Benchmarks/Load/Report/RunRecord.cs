namespace EfPooling.Benchmarks.Load.Report;

/// <summary>All of a run.</summary>
/// <param name="Machine">Where it ran.</param>
/// <param name="Options">What was asked for.</param>
/// <param name="Peers">Who took part, with the way they are set up.</param>
/// <param name="Skipped">Who did not, and why.</param>
/// <param name="Results">What came out.</param>
internal sealed record RunRecord(MachineInfo Machine, LoadOptions Options, IReadOnlyList<string> Peers, IReadOnlyList<string> Skipped, IReadOnlyList<ScenarioResult> Results);
