using System.Runtime.CompilerServices;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <content>On which server connection a statement or transaction runs.</content>
internal sealed partial class ConnectionScope
{
    // The transaction in which statements run. An ambient one that was left is dropped here.
    private IPlacement? OnTop => _onTop is { IsLeft: true } left ? Drop(left) : _onTop;

    // A statement needs a session and there is none; or session mode, just opened, or opened in an ambient transaction that has completed since.
    private bool MustPin => _session is null && (_reason is not null || _pool.Options.KeepsSession);

    /// <summary>The server connection for an operation that holds the gate.</summary>
    public Binding Bind(ILeaseHolder operation)
        => (OnTop ?? (MustPin ? Pin() : _session)) is { } placement ? placement.Bind(operation) : new Binding(Acquire(operation));

    /// <inheritdoc cref="Bind"/>
    public ValueTask<Binding> BindAsync(ILeaseHolder operation, CancellationToken cancellationToken)
    {
        if ((OnTop ?? _session) is { } placement)
        {
            return placement.BindAsync(operation, cancellationToken);
        }

        if (MustPin)
        {
            return PinAndBindAsync(operation, cancellationToken);
        }

        var acquiring = AcquireAsync(operation, cancellationToken);
        return acquiring.IsCompletedSuccessfully ? new ValueTask<Binding>(new Binding(acquiring.Result)) : BindAsync(acquiring);
    }

    private async ValueTask<Binding> PinAndBindAsync(ILeaseHolder operation, CancellationToken cancellationToken)
    {
        var session = await PinAsync(cancellationToken).ConfigureAwait(false);
        return await session.BindAsync(operation, cancellationToken).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<Binding> BindAsync(ValueTask<Lease<ServerConnection>> lease) => new(await lease.ConfigureAwait(false));

    /// <summary>The server connection for a transaction that is about to begin on the server: that of the session, or one of the pool.</summary>
    public TransactionLease LeaseForTransaction(ServerTransaction transaction)
    {
        var session = MustPin ? Pin() : _session;
        return session?.TryEnter() == true
            ? new TransactionLease(_pool, session.Lease, session)
            : new TransactionLease(_pool, Acquire(transaction), session: null);
    }

    /// <inheritdoc cref="LeaseForTransaction"/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<TransactionLease> LeaseForTransactionAsync(ServerTransaction transaction, CancellationToken cancellationToken)
    {
        var session = MustPin ? await PinAsync(cancellationToken).ConfigureAwait(false) : _session;
        return session?.TryEnter() == true
            ? new TransactionLease(_pool, session.Lease, session)
            : new TransactionLease(_pool, await AcquireAsync(transaction, cancellationToken).ConfigureAwait(false), session: null);
    }

    /// <inheritdoc/>
    public Lease<ServerConnection> Acquire(ILeaseHolder operation) => Remember(_pool.Acquire(operation, CancellationToken.None, _connection.LastServer, TakeSince()));

    /// <inheritdoc/>
    public ValueTask<Lease<ServerConnection>> AcquireAsync(ILeaseHolder operation, CancellationToken cancellationToken)
        => _pool.Shuffles ? AcquireAnotherAsync(operation, cancellationToken) : _pool.AcquireAsync(operation, cancellationToken, since: TakeSince());

    private async ValueTask<Lease<ServerConnection>> AcquireAnotherAsync(ILeaseHolder operation, CancellationToken cancellationToken)
        => Remember(await _pool.AcquireAsync(operation, cancellationToken, _connection.LastServer, TakeSince()).ConfigureAwait(false));

    private long TakeSince()
    {
        var since = Since;
        OnWaiting();
        return since;
    }

    private Lease<ServerConnection> Remember(Lease<ServerConnection> lease)
    {
        _connection.LastServer = _pool.Shuffles ? lease.Connection : null;
        return lease;
    }

    // The session that is needed now. The field may be null again, because Close has ended it.
    private PinnedSession Pin()
    {
        var session = NewSession();
        try
        {
            return _session = session.Start(_pool.Acquire(session, CancellationToken.None));
        }
        finally
        {
            _reason = null; // If that failed, the statement does not run, and the next one may need no session.
        }
    }

    private async ValueTask<PinnedSession> PinAsync(CancellationToken cancellationToken)
    {
        var session = NewSession();
        try
        {
            return _session = session.Start(await _pool.AcquireAsync(session, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _reason = null;
        }
    }

    private PinnedSession NewSession()
    {
        if (_reason is null)
        {
            _pool.ReportPin(PinReason.SessionMode, statement: null);
        }

        return new PinnedSession(this, _reason ?? PinReason.SessionMode);
    }

    // Nothing else is dropped that has taken its place meanwhile.
    private IPlacement? Drop(IPlacement left)
    {
        var present = Interlocked.CompareExchange(ref _onTop, null, left);
        return ReferenceEquals(present, left) ? null : present;
    }

    private void DropAmbient()
    {
        if (_onTop is AmbientPlacement ambient)
        {
            Drop(ambient);
        }
    }
}
