using EfPooling.Benchmarks.Load.Measuring;

namespace EfPooling.Benchmarks.Load;

/// <summary>What is run, and for how long.</summary>
/// <param name="Scenarios">Names; <c>all</c> and <c>far</c> stand for several.</param>
/// <param name="Apis">Names of APIs; null: those that the scenario has by itself.</param>
/// <param name="Peers">Names of peers.</param>
/// <param name="Times">Of one slice.</param>
/// <param name="Rounds">How often each peer has its turn.</param>
/// <param name="Out">Directory for results; null writes none.</param>
/// <param name="IsQuick">A short form, to see that everything works. Its numbers say little.</param>
internal sealed record LoadOptions(
    IReadOnlyList<string> Scenarios, IReadOnlyList<string>? Apis, IReadOnlyList<string> Peers, SliceTimes Times, int Rounds, string? Out, bool IsQuick);
