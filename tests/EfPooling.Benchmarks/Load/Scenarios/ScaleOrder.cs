using EfPooling.Benchmarks.Load.Measuring;
using EfPooling.Benchmarks.Load.Peers;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>What a process that has some of the processors is to measure.</summary>
/// <param name="Endpoints">The servers.</param>
/// <param name="Peers">Names of peers that can run.</param>
/// <param name="Times">Of one slice.</param>
/// <param name="Rounds">How often each peer has its turn.</param>
/// <param name="ServerConnections">Sizes of pools.</param>
/// <param name="Cores">How many processors the process has; for the results.</param>
internal sealed record ScaleOrder(Endpoints Endpoints, IReadOnlyList<string> Peers, SliceTimes Times, int Rounds, IReadOnlyList<int> ServerConnections, int Cores);
