namespace EfPooling.Benchmarks.Load.Peers;

/// <summary>How large the pools of all peers are in a scenario.</summary>
/// <param name="ServerConnections">Connections to PostgreSQL at most.</param>
/// <param name="ClientConnections">Connections to PgBouncer at most, for the peer that has it in between.</param>
internal sealed record PoolShape(int ServerConnections, int ClientConnections);
