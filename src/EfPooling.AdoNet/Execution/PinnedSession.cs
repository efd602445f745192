using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// A server connection that a logical connection keeps for all it does: until Close in session mode or after a statement that needs a
/// session, or while a <see cref="SessionLease"/> is held. A statement that still uses it when it is ended keeps it until done, and the last one ends the lease.
/// </summary>
/// <param name="holder">Whose session it is.</param>
/// <param name="reason">Why.</param>
/// <param name="purpose">What a leased session is for.</param>
internal sealed class PinnedSession(ISessionHolder holder, PinReason reason, string? purpose = null) : IPlacement, IServerOwner, ILeaseHolder
{
    private readonly Lock _gate = new();
    private Lease<ServerConnection> _lease; // written once, before the session is used
    private int _users; // guarded by _gate: statements and transactions that run on the server connection
    private bool _isEnded; // guarded by _gate

    public Lease<ServerConnection> Lease => _lease;

    Lease<ServerConnection>? IPlacement.Lease => _lease;

    public LeaseScope Scope => LeaseScope.Session;

    public string Activity => purpose ?? (reason == PinReason.SessionMode ? "session mode" : $"pinned: {reason}");

    /// <summary>Otherwise it lasts as long as a <see cref="SessionLease"/> is held, and the connection goes on after it.</summary>
    public bool LastsUntilClose => reason != PinReason.SessionLease;

    public bool IsTransaction => false;

    public PinnedSession Start(Lease<ServerConnection> lease)
    {
        _lease = lease;
        lease.Connection.Holder = holder;
        lease.Connection.ForgetSequenceValues();
        return this;
    }

    /// <summary>Puts settings in force before the session is used out of our sight. If that fails, the session has ended.</summary>
    public async Task PrepareAsync(SettingMap wanted, CancellationToken cancellationToken)
    {
        var server = _lease.Connection;
        try
        {
            await server.EnsureSettingsAsync(wanted, SettingRoute.Alone, isInTransaction: false, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            server.Observe(e);
            await EndAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Binds to the session, or to a server connection of the pool if another flow has ended the session meanwhile.</summary>
    public Binding Bind(ILeaseHolder operation) => TryEnter() ? new Binding(_lease.Connection, this) : new Binding(holder.Acquire(operation));

    /// <inheritdoc cref="Bind"/>
    public ValueTask<Binding> BindAsync(ILeaseHolder operation, CancellationToken cancellationToken)
    {
        return TryEnter() ? new ValueTask<Binding>(new Binding(_lease.Connection, this)) : AcquireAsync();

        async ValueTask<Binding> AcquireAsync() => new(await holder.AcquireAsync(operation, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Keeps the lease until <see cref="OnStatementEnded"/>.</summary>
    /// <returns>Whether the session has not ended.</returns>
    public bool TryEnter()
    {
        lock (_gate)
        {
            _users += _isEnded ? 0 : 1;
            return !_isEnded;
        }
    }

    /// <summary>Like <see cref="TryEnter"/>.</summary>
    /// <exception cref="LeaseEndedException">The session has ended.</exception>
    public Lease<ServerConnection> Enter() => TryEnter() ? _lease : throw new LeaseEndedException();

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

    public void OnServerBroken(Exception cause) => holder.OnLost(_lease.Connection);

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
