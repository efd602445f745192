using System.Diagnostics.CodeAnalysis;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// One opening of a logical connection: its gate, the settings that its statements want, and the placement that binds it to one server connection, if any does.
/// Used by the holder of the gate, and by Close, which ends all of it.
/// </summary>
/// <remarks>
/// Of the parts, one says where a statement runs, one what a statement does to its session, one what the application asks for, and one opens and closes.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Close ends what it holds.")]
internal sealed partial class ConnectionScope : IOpening, ISessionHolder
{
    private static readonly NamedOperation Losing = new(LeaseScope.Session, "the server connection broke", OperationKind.Session);

    private readonly PoolContext _pool;
    private readonly IConnectionHost _connection;

    private IPlacement? _onTop; // Interlocked: the transaction or the part in an ambient one; Close and Enlist write it without the gate
    private PinnedSession? _session; // written by the holder of the gate; Interlocked where Close takes it
    private PinReason? _reason; // used by the holder of the gate: from the statement that needs a session until the session is there
    private long _waited; // by Open, until the first wait after it, which has the rest of the time-out
    private volatile bool _isClosed; // written by Close
    private volatile bool _isLost; // written by the holder of the gate

    public ConnectionScope(PoolExecution execution, IConnectionHost connection)
    {
        Execution = execution;
        _pool = execution.Pool;
        _connection = connection;
        Gate = new OperationGate(this);
    }

    public PoolExecution Execution { get; }

    public PoolContext Pool => _pool;

    /// <summary>Who uses the connection now.</summary>
    public OperationGate Gate { get; }

    public ConcurrencyGuard Guard => Execution.Guard;

    /// <summary>That was begun on the connection and has not ended.</summary>
    public ServerTransaction? Transaction => _onTop as ServerTransaction;

    /// <summary>The session that the connection keeps now; <c>null</c> if it keeps none.</summary>
    public PinnedSession? Session => _session;

    /// <summary>Nothing binds the connection to one session. Read without the gate, so it changes nothing.</summary>
    public bool IsUnbound => _onTop is null or { IsLeft: true } && _session is null && !_pool.Options.KeepsSession;

    /// <summary>When an operation that begins to wait now has begun to wait, by the pool's clock: the connection's opening is part of its first wait.</summary>
    public long Since => _pool.Now - _waited;

    /// <summary>The first wait after the opening has begun.</summary>
    public void OnWaiting() => _waited = 0;

    /// <summary>What still runs goes on to its own end, but leaves nothing behind on the logical connection, which may be open again.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>The session settings that a statement wants at this moment.</summary>
    public SettingMap ResolveSettings() => _connection.Settings?.Resolve(_pool.SettingInterner) ?? SettingMap.Empty;

    /// <summary>The holder of the gate is about to give it up. What needed a session has one, or did not run.</summary>
    public void OnExiting() => _reason = null;

    /// <summary>The gate was given up, with a full fence, so a transaction that was disposed meanwhile is seen here, and so is a close.</summary>
    public void OnExited()
    {
        if (Transaction is { IsAbandoned: true } abandoned)
        {
            abandoned.EndAbandoned();
        }

        if (_isClosed)
        {
            Transaction?.Dispose(); // Begun, or the session pinned, by what was still running when the connection was closed.
        }

        if (_isClosed || _isLost)
        {
            TakeSession()?.End(); // A lost transaction has ended its lease, and says why it is lost until it is rolled back or disposed.
        }
    }

    public void OnTransactionEnded(ServerTransaction transaction) => Interlocked.CompareExchange(ref _onTop, null, transaction);

    /// <summary>
    /// If the server connection to which this is bound, by a transaction or a session, broke under the holder of the gate, the logical connection is closed at once, and
    /// what it holds ends with the gate. One that its holder has closed is not broken.
    /// </summary>
    public void OnLost(ServerConnection server)
    {
        if (server.HasBroken)
        {
            _isLost = true;
            _connection.OnSessionLost(this);
        }
    }

    /// <summary>
    /// The server connection to which this is bound broke: by keepalive, or while it was used out of our sight. A holder of the gate finds out by itself.
    /// Called from any thread.
    /// </summary>
    public void OnServerBroken()
    {
        if (!Gate.TryEnter(Losing, OperationKind.Session, source: null))
        {
            return;
        }

        if ((OnTop?.Lease ?? _session?.Lease)?.Connection is { } server)
        {
            Transaction?.NoteIfBroken();
            OnLost(server);
        }

        Gate.Exit(Losing);
    }

    /// <summary>Why the logical connection is not open any more, after <see cref="OnLost"/>.</summary>
    public InvalidOperationException DescribeLoss() => _onTop?.DescribeLoss() ?? new SessionLostException();

    // The caller ends it.
    private PinnedSession? TakeSession() => Interlocked.Exchange(ref _session, null);

    /// <summary>Makes sure that the pool can serve this connection; in session mode takes the session, unless an ambient transaction gives one for now.</summary>
    public void Open()
    {
        if (MustPin && OnTop is null)
        {
            Pin();
        }
        else
        {
            var began = _pool.Now;
            _pool.EnsureReachable();
            _waited = _pool.Now - began;
        }
    }

    /// <inheritdoc cref="Open"/>
    public ValueTask OpenAsync(CancellationToken cancellationToken)
    {
        if (MustPin && OnTop is null)
        {
            return OpenWithSessionAsync();
        }

        var began = _pool.Now;
        var reaching = _pool.EnsureReachableAsync(cancellationToken);
        return reaching.IsCompletedSuccessfully ? reaching : WaitAsync(reaching, began);

        async ValueTask WaitAsync(ValueTask reaching, long began)
        {
            await reaching.ConfigureAwait(false);
            _waited = _pool.Now - began;
        }

        async ValueTask OpenWithSessionAsync() => await PinAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Ends everything that the connection holds, and then throws what closing the reader threw. A statement that another task is
    /// running goes on to its own end.
    /// </summary>
    public void Close()
    {
        Gate.RefuseWaiting();
        try
        {
            Gate.CloseReader();
        }
        finally
        {
            Transaction?.LoseConnection();
            DropAmbient();
            _isClosed = true; // Before a full fence: a flow that begins a transaction, pins a session or gets a reader now sees it later.
            TakeSession()?.End();
            Transaction?.Dispose();
            _connection.ForgetFollowedSettings();
            Gate.CloseLateReader();
        }
    }

    /// <inheritdoc cref="Close"/>
    public async ValueTask CloseAsync()
    {
        Gate.RefuseWaiting();
        try
        {
            await Gate.CloseReaderAsync().ConfigureAwait(false);
        }
        finally
        {
            if (Transaction is { } transaction) // Read once: the holder of the gate may end it at this moment.
            {
                await transaction.LoseConnectionAsync().ConfigureAwait(false);
            }

            DropAmbient();
            _isClosed = true; // Before a full fence: a flow that begins a transaction, pins a session or gets a reader now sees it later.
            if (TakeSession() is { } session)
            {
                await session.EndAsync().ConfigureAwait(false);
            }

            if (Transaction is { } late)
            {
                await late.DisposeAsync().ConfigureAwait(false);
            }

            _connection.ForgetFollowedSettings();
            await Gate.CloseLateReaderAsync().ConfigureAwait(false);
        }
    }
}
