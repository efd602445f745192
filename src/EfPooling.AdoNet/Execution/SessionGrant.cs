using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>A server connection that is leased as a session, and what gives it back.</summary>
/// <param name="Lease">Of the server connection.</param>
/// <param name="End">Gives it back; <c>null</c>: another caller does.</param>
/// <param name="EndAsync">The same.</param>
internal sealed record SessionGrant(Lease<ServerConnection> Lease, Action? End, Func<ValueTask>? EndAsync);
