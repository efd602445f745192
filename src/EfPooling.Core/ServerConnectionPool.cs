using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EfPooling.Core;

/// <summary>
/// A pool of server connections. Grants leases in the order of waiting, opens in the background, replaces old connections, closes
/// unused ones.
/// </summary>
/// <remarks>
/// Thread-safe. One gate protects the <see cref="PoolLedger{T}"/>; decisions are made under it and carried out outside it.
/// Close the pool with <see cref="CloseAsync"/> or <see cref="DisposeAsync"/>.
/// </remarks>
/// <typeparam name="T">The server connection.</typeparam>
internal sealed partial class ServerConnectionPool<T> : IAsyncDisposable
    where T : class
{
    private readonly PoolGate _gate = new();
    private readonly PoolLedger<T> _ledger; // guarded by _gate
    private readonly ConnectionKeeper<T> _keeper;
    private readonly WaitingRoom<T> _waits;
    private readonly ConnectionCheck<T> _check;
    private readonly PoolClock _clock;
    private readonly ILogger _logger;

    /// <summary>Creates a pool. Nothing is opened before the first caller, <see cref="WarmUpAsync"/> or, with a MinPoolSize, the first sweep.</summary>
    /// <param name="options">Validated and copied.</param>
    /// <param name="connector">Opens and closes the server connections.</param>
    /// <param name="time">Source of time; default: the system's.</param>
    /// <param name="logger">Default: none.</param>
    /// <exception cref="InvalidPoolOptionsException">An option is outside its range.</exception>
    public ServerConnectionPool(PoolOptions options, IServerConnector<T> connector, TimeProvider? time = null, ILogger? logger = null)
        : this(options, connector, time, logger, Random.Shared)
    {
    }

    internal ServerConnectionPool(PoolOptions options, IServerConnector<T> connector, TimeProvider? time, ILogger? logger, Random random)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(connector);
        options.ThrowIfInvalid();
        options = options with { };
        Name = options.Name ?? "pool";
        _clock = new PoolClock(time ?? CoarseTimeProvider.Instance);
        _logger = new GuardedLogger(logger ?? NullLogger.Instance);
        _ledger = new PoolLedger<T>(_gate, options, _clock, random);
        _keeper = new ConnectionKeeper<T>(_gate, _ledger, options, connector, _clock, _logger, Name);
        _waits = new WaitingRoom<T>(_gate, _ledger, _keeper, options, _clock, _logger, Name);
        _check = new ConnectionCheck<T>(this, _gate, _ledger, _keeper, _waits, connector, _clock);
    }

    /// <summary>Name of the pool in logs, exceptions and snapshots.</summary>
    public string Name { get; }

    /// <summary>Acquires a server connection, blocking for at most <see cref="PoolOptions.QueryWaitTimeout"/>.</summary>
    /// <param name="holder">Named in diagnostics while the lease runs.</param>
    /// <param name="cancellationToken">Cancellation removes the caller from the queue.</param>
    /// <exception cref="QueryWaitTimeoutException">No connection became available in time.</exception>
    /// <exception cref="PoolClosedException">The pool is closed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled first.</exception>
    /// <remarks>If no server connection is open and none can be opened, throws the connector's exception.</remarks>
    public Lease<T> Acquire(ILeaseHolder? holder = null, CancellationToken cancellationToken = default) => Acquire(holder, _clock.Now, cancellationToken);

    /// <param name="holder">Named in diagnostics while the lease runs.</param>
    /// <param name="started">When the caller began to wait, by <see cref="Now"/>; it may have waited elsewhere before.</param>
    /// <param name="cancellationToken">Cancellation removes the caller from the queue.</param>
    /// <param name="isAdmitted">Whether the caller was admitted before, and waits on. A disabled pool still serves it.</param>
    internal Lease<T> Acquire(ILeaseHolder? holder, long started, CancellationToken cancellationToken, bool isAdmitted = false)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var admission = Admit(holder, started, _clock.Now, isAdmitted);
        while (true)
        {
            admission.Refusal?.Throw();
            var slot = admission.Slot ?? _waits.Wait(admission.Waiter!, started, cancellationToken);
            if (!admission.NeedsCheck || _check.Passes(slot, started, cancellationToken))
            {
                return new Lease<T>(this, slot);
            }

            _waits.ThrowIfOver(started, cancellationToken);
            admission = Admit(holder, started, _clock.Now, isAdmitted: true);
        }
    }

    /// <summary>Acquires a server connection, waiting for at most <see cref="PoolOptions.QueryWaitTimeout"/>.</summary>
    /// <inheritdoc cref="Acquire(ILeaseHolder?, CancellationToken)"/>
    public ValueTask<Lease<T>> AcquireAsync(ILeaseHolder? holder = null, CancellationToken cancellationToken = default)
        => AcquireAsync(holder, _clock.Now, cancellationToken);

    /// <param name="holder">Named in diagnostics while the lease runs.</param>
    /// <param name="started">When the caller began to wait, by <see cref="Now"/>; it may have waited elsewhere before.</param>
    /// <param name="cancellationToken">Cancellation removes the caller from the queue.</param>
    /// <param name="isAdmitted">Whether the caller was admitted before, and waits on. A disabled pool still serves it.</param>
    internal ValueTask<Lease<T>> AcquireAsync(ILeaseHolder? holder, long started, CancellationToken cancellationToken, bool isAdmitted = false)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<Lease<T>>(cancellationToken);
        }

        var admission = Admit(holder, started, _clock.Now, isAdmitted);
        return admission is { Slot: not null, NeedsCheck: false }
            ? new ValueTask<Lease<T>>(new Lease<T>(this, admission.Slot))
            : AcquireSlowlyAsync(admission, holder, started, cancellationToken);
    }

    /// <summary>
    /// Throws the server's error if no server connection is open and none can be opened; otherwise returns without using one.
    /// </summary>
    /// <inheritdoc cref="Acquire(ILeaseHolder?, CancellationToken)"/>
    public void EnsureReachable(CancellationToken cancellationToken = default)
    {
        if (HasLiveConnection)
        {
            return;
        }

        cancellationToken.ThrowIfCancellationRequested();
        var started = _clock.Now;
        var admission = Admit(null, started, started, isAdmitted: false, wantsLease: false);
        admission.Refusal?.Throw();
        if (admission.Waiter is { } waiter)
        {
            _waits.Wait(waiter, started, cancellationToken);
        }
    }

    /// <inheritdoc cref="EnsureReachable"/>
    public ValueTask EnsureReachableAsync(CancellationToken cancellationToken = default)
        => HasLiveConnection ? ValueTask.CompletedTask : AskAsync(cancellationToken);

    /// <summary>Opens <see cref="PoolOptions.MinPoolSize"/> server connections, or one if that is 0.</summary>
    /// <remarks>
    /// Returns when the first one is open and the others have begun. Throws the server's error if the first cannot be opened.
    /// </remarks>
    public ValueTask WarmUpAsync(CancellationToken cancellationToken = default) => EnsureReachableAsync(cancellationToken);

    /// <summary>The numbers of the pool at this moment.</summary>
    public PoolSnapshot GetSnapshot()
    {
        using (_gate.Enter())
        {
            return _ledger.SnapshotLocked(Name);
        }
    }

    /// <summary>The running leases, the oldest first.</summary>
    /// <param name="limit">At most that many.</param>
    public IReadOnlyList<LeaseInfo> GetOldestLeases(int limit = int.MaxValue) => RunningLeases.Oldest(_gate, _ledger, _clock, limit);

    /// <summary>The time of the pool's clock.</summary>
    internal long Now => _clock.Now;

    /// <summary>True if a new caller would have to wait: no connection is idle, and callers are queued or no slot is free. Read without the lock, so only a hint.</summary>
    internal bool IsBusy => _ledger.Idle == 0 && (_ledger.Waiters.Count > 0 || _ledger.Free == 0);

    internal void EndLease(Slot<T> slot, int version, RetireReason? retire, object? affinity)
    {
        var now = _clock.Now;
        PoolDecision<T> decision;
        using (_gate.Enter())
        {
            decision = _ledger.EndLeaseLocked(slot, version, retire, affinity, now);
            _keeper.LeaveLocked();
        }

        _keeper.Carry(slot, decision);
    }

    internal void RetireAtEnd(Slot<T> slot, int version, RetireReason reason)
    {
        using (_gate.Enter())
        {
            _ledger.RetireAtEndLocked(slot, version, reason);
        }
    }

    /// <summary>Throws if an invariant does not hold.</summary>
    internal void VerifyInvariants()
    {
        using (_gate.Enter())
        {
            _ledger.VerifyLocked();
        }
    }

    // An unguarded read is good enough: the next command finds a connection that dies at this moment.
    private bool HasLiveConnection => _ledger.AdmitsAll && _ledger.Live > 0;

    private async ValueTask AskAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var started = _clock.Now;
        var admission = Admit(null, started, started, isAdmitted: false, wantsLease: false);
        admission.Refusal?.Throw();
        if (admission.Waiter is { } waiter)
        {
            await _waits.WaitAsync(waiter, started, cancellationToken).ConfigureAwait(false);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Lease<T>> AcquireSlowlyAsync(Admission<T> admission, ILeaseHolder? holder, long started, CancellationToken cancellationToken)
    {
        while (true)
        {
            admission.Refusal?.Throw();
            var slot = admission.Slot ?? await _waits.WaitAsync(admission.Waiter!, started, cancellationToken).ConfigureAwait(false);
            if (!admission.NeedsCheck || await _check.PassesAsync(slot, started, cancellationToken).ConfigureAwait(false))
            {
                return new Lease<T>(this, slot);
            }

            _waits.ThrowIfOver(started, cancellationToken);
            admission = Admit(holder, started, _clock.Now, isAdmitted: true);
        }
    }

    // Takes an idle slot, or queues the caller and begins the wanted opens. A caller that wants no lease is served by any open
    // connection.
    private Admission<T> Admit(ILeaseHolder? holder, long started, long now, bool isAdmitted, bool wantsLease = true)
    {
        Waiter<T> waiter;
        List<Slot<T>>? opens;
        var affinity = holder?.Affinity;
        using (_gate.Enter())
        {
            if (!_ledger.Admits(started, isAdmitted))
            {
                return new Admission<T>(null, false, null, ExceptionDispatchInfo.Capture(RefusalLocked()));
            }

            if (!wantsLease && _ledger.Live > 0)
            {
                return default;
            }

            if (wantsLease && _ledger.TakeIdleLocked(holder, affinity, now, out var needsCheck) is { } slot)
            {
                _keeper.LeaveLocked();
                return new Admission<T>(slot, needsCheck, null, null);
            }

            if (_ledger.IsHopeless(now))
            {
                return new Admission<T>(null, false, null, _ledger.Backoff.LastFailure);
            }

            waiter = new Waiter<T>(holder, started, wantsLease);
            _ledger.EnqueueLocked(waiter);
            opens = _keeper.BeginOpensLocked(now);
            _keeper.LeaveLocked();
        }

        _keeper.StartOpens(opens);
        return new Admission<T>(null, false, waiter, null);
    }
}
