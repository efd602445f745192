using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// What decides on which server connection the statements of an open connection run: the session that it keeps, or on top of that its transaction or its part in an ambient
/// transaction. A connection without one takes a server connection of the pool for each statement. Used by the holder of the gate.
/// </summary>
internal interface IPlacement
{
    /// <summary>Of the server connection; <c>null</c> as long as there is none.</summary>
    Lease<ServerConnection>? Lease { get; }

    /// <summary>It has ended, and the caller stands outside of it, so the connection is no longer bound to it. Asked from any thread.</summary>
    bool IsLeft => false;

    /// <summary>The server connection for an operation that holds the gate.</summary>
    Binding Bind(ILeaseHolder operation);

    /// <inheritdoc cref="Bind"/>
    ValueTask<Binding> BindAsync(ILeaseHolder operation, CancellationToken cancellationToken);

    /// <summary>Why the connection was closed when the server connection broke; <c>null</c>: there is nothing special to say.</summary>
    InvalidOperationException? DescribeLoss() => null;
}
