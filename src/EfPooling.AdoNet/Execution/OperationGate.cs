using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// Admits one operation at a time to an open logical connection. It holds the operation in flight and its open reader, the operations that wait for its end, and those
/// that run beside it. The reader is used by the operation that holds the gate, and by Close.
/// </summary>
internal sealed class OperationGate(ConnectionScope scope)
{
    private ILeaseHolder? _operation; // Interlocked only
    private OperationStart _start; // written by the operation that holds the gate; read by others to describe it
    private OperationQueue? _queue; // Interlocked once; null unless an operation has waited
    private SideOperations? _side; // Interlocked once; null unless an operation has run beside the gate

    // All used by the operation that holds the gate.
    private IOpenResult? _reader; // read by others to see whether it is idle
    private IReaderLease? _detached; // whose reader was given away

    private ConcurrencyGuard Guard => scope.Guard;

    /// <summary>What is running now; <c>null</c> if nothing is.</summary>
    public OperationInfo? RunningOperation => Volatile.Read(ref _operation) is { } running ? _start.Describe(Guard, running.Activity) : null;

    /// <summary>Like <see cref="RunningOperation"/>, but an open reader from which nobody reads is none.</summary>
    public OperationInfo? BusyOperation => _reader is { IsReading: false } ? null : RunningOperation;

    /// <returns>Whether the operation is the one in flight now; then <see cref="Exit"/> must follow.</returns>
    public bool TryEnter(ILeaseHolder operation, OperationKind kind, ICallSiteSource? source)
    {
        if (_queue is { IsEmpty: false } || !IsHeldFor(operation))
        {
            return false;
        }

        _start.Begin(Guard, kind, source);
        return true;
    }

    /// <exception cref="ConcurrentUseException">Another operation is in flight.</exception>
    public Scope Enter(NamedOperation operation, ICallSiteSource? source = null)
        => TryEnter(operation, operation.Kind, source) ? new Scope(this, operation) : throw Refuse(operation, operation.Kind, source);

    /// <inheritdoc cref="Enter"/>
    public ValueTask<Scope> EnterAsync(NamedOperation operation, ICallSiteSource? source, CancellationToken cancellationToken)
    {
        if (TryEnter(operation, operation.Kind, source))
        {
            return new ValueTask<Scope>(new Scope(this, operation));
        }

        return MayWait ? AwaitAsync(operation, source, cancellationToken) : throw Refuse(operation, operation.Kind, source);
    }

    private async ValueTask<Scope> AwaitAsync(NamedOperation operation, ICallSiteSource? source, CancellationToken cancellationToken)
    {
        await WaitAsync(operation, operation.Kind, source, cancellationToken).ConfigureAwait(false);
        return new Scope(this, operation);
    }

    /// <summary>Whether an asynchronous operation that finds the connection busy waits: mode Serialize, unless it would wait for itself.</summary>
    public bool MayWait
        => Guard.Mode == ConcurrentUseMode.Serialize
            && !(_reader is { IsReading: false } && (_start.LooksLikeThisFlow() || (Guard.NestedCommands == NestedCommandMode.OwnServerConnection && scope.IsUnbound)));

    /// <summary>Waits in order of arrival until the operation is the one in flight.</summary>
    /// <exception cref="ConcurrentUseException">QueryWaitTimeout has passed.</exception>
    public async ValueTask WaitAsync(ILeaseHolder operation, OperationKind kind, ICallSiteSource? source, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var caller = ConcurrencyGuard.DescribeCaller(kind, source, operation.Activity); // Now, because a timer knows nothing of the caller.
        var refusal = new Lazy<ConcurrentUseException>(() => Refuse(caller, kind, source, $"It has waited for its turn for {Guard.QueueTimeout}."));
        var queue = _queue ?? Interlocked.CompareExchange(ref _queue, new OperationQueue(), null) ?? _queue;
        var place = queue.Add(operation);
        queue.Grant(IsHeldFor); // Its holder may have exited before this was in the queue.
        using var limit = Guard.QueueTimeout == TimeSpan.Zero ? null : new CancellationTokenSource(Guard.QueueTimeout, Guard.Time);
        using var timeout = limit?.Token.UnsafeRegister(_ => queue.Refuse(place, refusal.Value), null);
        using var cancellation = cancellationToken.UnsafeRegister((_, token) => queue.Refuse(place, new OperationCanceledException(token)), null);
        await place.Turn.Task.ConfigureAwait(false);
        _start.Begin(Guard, kind, source);
    }

    /// <summary>What an operation that has found an open reader runs in instead, on a server connection of its own. The reader keeps its own meanwhile.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="kind">What it does.</param>
    /// <param name="source">Who does it.</param>
    /// <exception cref="ConcurrentUseException">The options do not allow it, no reader is open and idle, or the connection is bound to one session.</exception>
    public SideOperations RunBeside(ILeaseHolder operation, OperationKind kind, ICallSiteSource? source)
    {
        if (!scope.IsUnbound || _reader is not { IsReading: false } || Guard.NestedCommands != NestedCommandMode.OwnServerConnection)
        {
            throw Refuse(operation, kind, source);
        }

        return _side ?? Interlocked.CompareExchange(ref _side, new SideOperations(scope.Pool, Guard.Nested), null) ?? _side;
    }

    /// <summary>The exception that names both operations.</summary>
    /// <param name="operation">The one that is refused.</param>
    /// <param name="kind">What it does.</param>
    /// <param name="source">Who does it.</param>
    /// <param name="why">A sentence, if the reason is not only that the other one is running.</param>
    public ConcurrentUseException Refuse(ILeaseHolder operation, OperationKind kind, ICallSiteSource? source, string? why = null)
        => Refuse(ConcurrencyGuard.DescribeCaller(kind, source, operation.Activity), kind, source, why);

    /// <summary>The exception for the operation that holds this gate, because another connection in the same ambient transaction is running something.</summary>
    /// <param name="other">The other connection's.</param>
    /// <param name="session">What it has leased the transaction's server connection for; <c>null</c> if it runs a statement.</param>
    public ConcurrentUseException RefuseShared(OperationGate other, string? session = null)
    {
        other.SuspectRunning();
        SuspectRunning();
        return new ConcurrentUseException(
            ConcurrentUseKind.ConcurrentOperation,
            session is not null ? new OperationInfo(OperationKind.Session) { CommandText = session } : other.RunningOperation ?? other._start.Describe(Guard, activity: null),
            RunningOperation ?? _start.Describe(Guard, activity: null),
            "All connections in one ambient transaction share one server connection.");
    }

    /// <summary>Remembers that the running operation met another one, so that its call site is known the next time.</summary>
    /// <returns>Whether anything is running.</returns>
    public bool SuspectRunning()
    {
        var isRunning = Volatile.Read(ref _operation) is not null;
        Guard.Suspect(isRunning ? _start.Key : null);
        return isRunning;
    }

    /// <summary>Exits the gate if the operation holds it.</summary>
    public void Exit(ILeaseHolder operation)
    {
        if (!ReferenceEquals(Volatile.Read(ref _operation), operation))
        {
            return;
        }

        _start.Clear();
        scope.OnExiting();
        _side?.OnExited();

        // Full fences here and in TryEnter: a flow that disposes of a transaction meanwhile either enters or is seen here, and so is
        // an operation that waits.
        if (Interlocked.CompareExchange(ref _operation, null, operation) == operation)
        {
            scope.OnExited();
        }

        if (_queue is { IsEmpty: false } queue)
        {
            queue.Grant(IsHeldFor);
        }
    }

    public void SetReader(IOpenResult? reader) => _reader = reader;

    public void SetDetached(IReaderLease lease) => _detached = lease;

    /// <summary>Closes the open reader. One that was given away is left to its owner, without the server connection.</summary>
    public void CloseReader()
    {
        _reader?.Close();
        foreach (var reader in _side?.OpenReaders() ?? [])
        {
            reader.Close();
        }

        Interlocked.Exchange(ref _detached, null)?.EndDetached();
    }

    /// <inheritdoc cref="CloseReader"/>
    public async Task CloseReaderAsync()
    {
        if (_reader is { } open) // Read once: the holder of the gate may close it at this moment.
        {
            await open.CloseAsync().ConfigureAwait(false);
        }

        foreach (var reader in _side?.OpenReaders() ?? [])
        {
            await reader.CloseAsync().ConfigureAwait(false);
        }

        if (Interlocked.Exchange(ref _detached, null) is { } detached)
        {
            await detached.EndDetachedAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Closes a reader that arrived after <see cref="CloseReader"/>. Before a full fence the caller has noted that what readers belong to is closed: one that arrives
    /// later sees that, and closes itself.
    /// </summary>
    public void CloseLateReader()
    {
        if (MayHaveLateReader())
        {
            CloseReader();
        }
    }

    /// <inheritdoc cref="CloseLateReader"/>
    public Task CloseLateReaderAsync() => MayHaveLateReader() ? CloseReaderAsync() : Task.CompletedTask;

    /// <summary>No waiting operation enters any more.</summary>
    public void RefuseWaiting()
        => _queue?.RefuseAll(static () => new InvalidOperationException("The connection was closed while this operation waited for another one to end. Await every operation before closing the connection."));

    // Seldom: something runs on what was closed. The fence for the other side too, which has none between its reader's arrival and its look.
    private bool MayHaveLateReader()
    {
        if (Volatile.Read(ref _operation) is null && Volatile.Read(ref _side) is null)
        {
            return false;
        }

        Interlocked.MemoryBarrierProcessWide();
        return true;
    }

    private ConcurrentUseException Refuse(OperationInfo refused, OperationKind kind, ICallSiteSource? source, string? why)
    {
        var running = _start.Describe(Guard, Volatile.Read(ref _operation)?.Activity);
        Guard.Suspect(_start.Key);
        Guard.Suspect(source?.Text ?? kind.ToString());
        var met = _reader is { IsReading: false } && _start.LooksLikeThisFlow() ? ConcurrentUseKind.OpenReader : ConcurrentUseKind.ConcurrentOperation;
        return new ConcurrentUseException(met, running, refused, why);
    }

    private bool IsHeldFor(ILeaseHolder operation) => Interlocked.CompareExchange(ref _operation, operation, null) is null;

    /// <summary>One operation inside the gate; disposing exits it.</summary>
    public readonly struct Scope(OperationGate gate, ILeaseHolder operation) : IDisposable
    {
        public void Dispose() => gate.Exit(operation);
    }
}
