using System.Transactions;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>The part of one open connection in an ambient transaction, whose server connection it shares with the others in it.</summary>
/// <param name="enlistment">That of the pool, or of the connection alone if that was pinned before.</param>
/// <param name="scope">The connection's.</param>
internal sealed class AmbientPlacement(AmbientEnlistment enlistment, ConnectionScope scope) : IPlacement
{
    public Lease<ServerConnection>? Lease => enlistment.Lease;

    /// <summary>Inside the scope of a transaction that has aborted, nothing may run on its own.</summary>
    public bool IsLeft => enlistment.IsCompleted && !enlistment.IsCurrent;

    public bool Takes(Transaction transaction) => enlistment.Takes(transaction);

    public Binding Bind(ILeaseHolder operation) => enlistment.Bind(operation, scope);

    public ValueTask<Binding> BindAsync(ILeaseHolder operation, CancellationToken cancellationToken) => enlistment.BindAsync(operation, scope, cancellationToken);

    /// <inheritdoc cref="AmbientEnlistment.LeaseSession"/>
    public SessionGrant LeaseSession(string reason) => enlistment.LeaseSession(scope, reason);

    public InvalidOperationException? DescribeLoss() => enlistment.IsCompleted ? null : new TransactionBrokenException(enlistment.BrokenBy);
}
