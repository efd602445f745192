namespace EfPooling.Benchmarks.Load.Bouncer;

/// <summary>A PgBouncer that runs.</summary>
/// <param name="Port">On 127.0.0.1.</param>
/// <param name="ProcessId">Of PgBouncer, for its memory.</param>
/// <param name="Version">As <c>pgbouncer --version</c> says it.</param>
/// <param name="CanPrepare">Whether it lets clients use prepared statements in transaction mode, which it does from 1.21 on.</param>
internal sealed record BouncerEndpoint(int Port, int ProcessId, string Version, bool CanPrepare);
