using System.Net;

namespace EfPooling.Dev;

/// <summary>One client backend as <c>pg_stat_activity</c> shows it.</summary>
/// <param name="ProcessId">Process id of the backend.</param>
/// <param name="Database">Database it is connected to.</param>
/// <param name="User">Role it logged in as.</param>
/// <param name="ApplicationName">What the client calls itself; empty when it does not say.</param>
/// <param name="State"><c>active</c>, <c>idle</c>, <c>idle in transaction</c> and so on; null while it is starting.</param>
/// <param name="Query">Text of the running or else of the last statement.</param>
/// <param name="BackendStart">When the client connected.</param>
/// <param name="BackendType">Always <c>client backend</c> here.</param>
/// <param name="ClientAddress">Where the client is; null on a Unix socket.</param>
public sealed record BackendActivity(
    int ProcessId,
    string? Database,
    string? User,
    string ApplicationName,
    string? State,
    string Query,
    DateTimeOffset BackendStart,
    string BackendType,
    IPAddress? ClientAddress);
