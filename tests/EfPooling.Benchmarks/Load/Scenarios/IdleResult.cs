namespace EfPooling.Benchmarks.Load.Scenarios;

/// <summary>What open connections that do nothing cost.</summary>
/// <param name="Peer">Name of the peer.</param>
/// <param name="Opened">Connections that the application holds open.</param>
/// <param name="BytesPerConnection">Managed memory of the client for each of them.</param>
/// <param name="Backends">The server's processes, and what memory they have.</param>
/// <param name="Bouncer">PgBouncer's memory, if it is in between.</param>
internal sealed record IdleResult(string Peer, int Opened, double BytesPerConnection, ProcessMemory Backends, ProcessMemory? Bouncer);
