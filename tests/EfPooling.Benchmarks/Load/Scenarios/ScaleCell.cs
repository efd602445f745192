using EfPooling.Benchmarks.Load.Report;

namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>What one peer did with some processors and some server connections.</summary>
internal sealed record ScaleCell(int Cores, int ServerConnections, PeerResult Result);
