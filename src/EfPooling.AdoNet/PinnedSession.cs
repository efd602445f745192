using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// A server connection that a logical connection keeps for all it does: from Open to Close in session mode, or while a
/// <see cref="SessionLease"/> is held. Whoever still uses it when it is ended keeps it until done, and the last one ends the lease.
/// </summary>
internal sealed class PinnedSession(TransactionPoolingDataSource pool, string reason) : IServerOwner, ILeaseHolder
{
    private readonly Lock _gate = new();
    private Lease<ServerConnection> _lease; // written once, before the session is used
    private int _users; // guarded by _gate: statements and transactions that run on the server connection
    private bool _isEnded; // guarded by _gate

    public Lease<ServerConnection> Lease => _lease;

    public LeaseScope Scope => LeaseScope.Session;

    public string Activity => reason;

    public bool IsTransaction => false;

    public PinnedSession Start(Lease<ServerConnection> lease)
    {
        _lease = lease;
        return this;
    }

    /// <exception cref="LeaseEndedException">The session has ended.</exception>
    public Binding Bind() => new(pool, Enter().Connection, this);

    /// <summary>Keeps the lease until <see cref="OnStatementEnded"/>.</summary>
    /// <exception cref="LeaseEndedException">The session has ended.</exception>
    public Lease<ServerConnection> Enter()
    {
        lock (_gate)
        {
            _users += _isEnded ? throw new LeaseEndedException() : 1;
        }

        return _lease;
    }

    /// <summary>Idempotent.</summary>
    public void End()
    {
        if (TryEnd())
        {
            _lease.End();
        }
    }

    /// <inheritdoc cref="End"/>
    public ValueTask EndAsync() => TryEnd() ? _lease.EndAsync() : ValueTask.CompletedTask;

    // A session that broke stays broken until its holder closes it; Npgsql's own error says so.
    public void OnServerBroken(Exception cause)
    {
    }

    public void OnStatementEnded()
    {
        if (Leave())
        {
            _lease.End();
        }
    }

    public ValueTask OnStatementEndedAsync() => Leave() ? _lease.EndAsync() : ValueTask.CompletedTask;

    private bool TryEnd()
    {
        lock (_gate)
        {
            var isFirst = !_isEnded;
            _isEnded = true;
            return isFirst && _users == 0;
        }
    }

    private bool Leave()
    {
        lock (_gate)
        {
            _users--;
            return _isEnded && _users == 0;
        }
    }
}
