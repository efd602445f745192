using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// A server connection that a statement may use now, and what to do with it afterwards: end the lease if it was acquired for this
/// statement alone, else tell the transaction or session that owns it.
/// </summary>
internal readonly struct Binding
{
    private readonly TransactionPoolingDataSource _pool;
    private readonly Lease<ServerConnection> _ownLease;
    private readonly IServerOwner? _owner;

    /// <summary>The statement's own lease.</summary>
    public Binding(TransactionPoolingDataSource pool, Lease<ServerConnection> ownLease)
    {
        _pool = pool;
        _ownLease = ownLease;
        Server = ownLease.Connection;
    }

    /// <summary>A server connection that somebody else leases.</summary>
    public Binding(TransactionPoolingDataSource pool, ServerConnection server, IServerOwner owner)
    {
        _pool = pool;
        _owner = owner;
        Server = server;
    }

    public ServerConnection Server { get; }

    public bool IsInTransaction => _owner?.IsTransaction ?? false;

    public void Observe(Exception error)
    {
        Server.Observe(error);
        if (Server.IsBroken)
        {
            _owner?.OnServerBroken(error);
        }
    }

    public void End()
    {
        if (_owner is null)
        {
            _ownLease.End();
        }
        else
        {
            _owner.OnStatementEnded();
        }
    }

    public ValueTask EndAsync() => _owner is null ? _ownLease.EndAsync() : _owner.OnStatementEndedAsync();

    public void ReportStalePlan() => _pool.ReportStalePlan();
}
