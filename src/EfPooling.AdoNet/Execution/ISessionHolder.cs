using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>Keeps a session, and goes on with server connections of the pool when that has ended.</summary>
internal interface ISessionHolder : IServerHolder
{
    /// <summary>A server connection of the pool.</summary>
    Lease<ServerConnection> Acquire(ILeaseHolder operation);

    /// <inheritdoc cref="Acquire"/>
    ValueTask<Lease<ServerConnection>> AcquireAsync(ILeaseHolder operation, CancellationToken cancellationToken);
}
