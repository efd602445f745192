using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// A server connection that a logical connection keeps for all it does: from Open to Close in session mode, or while a
/// <see cref="SessionLease"/> is held.
/// </summary>
internal sealed class PinnedSession(TransactionPoolingDataSource pool, string reason) : IServerOwner, ILeaseHolder
{
    private Lease<ServerConnection> _lease; // written once, before the session is used

    public ServerConnection Server => _lease.Connection;

    public Lease<ServerConnection> Lease => _lease;

    public LeaseScope Scope => LeaseScope.Session;

    public string Activity => reason;

    public bool IsTransaction => false;

    public PinnedSession Start(Lease<ServerConnection> lease)
    {
        _lease = lease;
        return this;
    }

    public Binding Bind() => new(pool, Server, this);

    public void End() => _lease.End();

    public ValueTask EndAsync() => _lease.EndAsync();

    // A session that broke stays broken until its holder closes it; Npgsql's own error says so.
    public void OnServerBroken(Exception cause)
    {
    }

    public void OnStatementEnded()
    {
    }

    public ValueTask OnStatementEndedAsync() => ValueTask.CompletedTask;
}
