using EfPooling.AdoNet.Sql;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// The state of a command or batch while it runs: the gate on its logical connection or leave to run beside it, then the binding to a server connection or its result slot in
/// a read batch. It may be stopped and ended from other threads. One for all runs of the statement, which come one after the other.
/// </summary>
internal sealed partial class StatementExecution(IPooledStatement statement) : ILeaseHolder, IReaderLease, ICallSiteSource
{
    private ConnectionScope? _scope; // of the latest run
    private SideOperations? _side; // runs beside the gate if not null
    private int _isEntering; // Interlocked only: 1 from the gate, before there is a binding, until the gate is exited
    private Binding _binding; // guarded by the monitor of this for Cancel; otherwise used by the one operation that the gate admits
    private bool _isRunning; // guarded by the monitor of this
    private BatchedRead? _batchedRead; // guarded by the monitor of this: waits for its result slot

    // Used by the one operation that the gate admits.
    private LeaseScope _lasts;
    private bool _isDetached;
    private bool _hasFailed; // some run, or the reading of its results
    private bool _mayBeCommitted; // what was sent is no proven read, and no transaction of the caller's decides about it
    private CancellationToken _token;
    private SettingMap _wanted = SettingMap.Empty;
    private SqlVerdict? _verdict;
    private BatchedRead? _read; // in place of a server connection of its own
    private SoloRun? _solo; // if it could have had that

    LeaseScope ILeaseHolder.Scope => _lasts;

    public string? Activity => SqlText.ShortenOrNull(statement.Text);

    public BatchedRead? BatchedRead => _read;

    public object? Affinity => _wanted.IsEmpty ? null : _wanted;

    public ConcurrencyGuard Guard => Scope.Guard;

    string? ICallSiteSource.Text => statement.Text;

    string? ICallSiteSource.Origin => statement.Origin ?? statement.Host?.Origin;

    /// <summary>Whose it is.</summary>
    public IPooledStatement Statement => statement;

    /// <summary>Of the connection on which it runs, or ran last.</summary>
    public ConnectionScope Scope => _scope!;

    /// <summary>The server connection on which it runs.</summary>
    public ref readonly Binding Binding => ref _binding;

    /// <summary>The settings with which it is to run.</summary>
    public SettingMap Wanted => _wanted;

    public SqlVerdict Verdict => _verdict!;

    /// <summary>What is about to be sent is not proven to leave the data as they were.</summary>
    public bool MayWrite { get; set; }

    /// <summary>The latest run held the gate and has ended, and none has failed or has given its reader away: nobody uses the statement, or waits to.</summary>
    public bool IsClean => HasEntered && !IsRunning && !_hasFailed && !_isDetached;

    /// <summary>The caller's.</summary>
    public CancellationToken Token => _token;

    /// <summary>The latest run held the gate on its connection, so that no other caller was using that.</summary>
    public bool HasEntered { get; private set; }

    /// <summary>
    /// The connection was closed, or the transaction disposed, while the statement ran or waited. Nobody can use what it returns, so that closes itself at once.
    /// </summary>
    public bool IsOrphaned => Scope.IsClosed || (!IsSide && Scope.Transaction is { IsAbandoned: true });

    /// <summary>What a caller that still awaits an <see cref="IsOrphaned">orphaned</see> statement is told.</summary>
    public static InvalidOperationException Orphaned()
        => new("The connection was closed, or the transaction disposed, while this statement ran or waited; its results are lost. Await every operation before closing the connection.");

    /// <summary>A run is wanted, and has nothing yet.</summary>
    public void Reset() => HasEntered = false;

    /// <summary>A run begins, which holds the gate or leave to run beside it.</summary>
    public void Start(LeaseScope lasts, bool hasEntered, CancellationToken cancellationToken)
    {
        HasEntered = hasEntered;
        _token = cancellationToken;
        _isDetached = false;
        _mayBeCommitted = false;
        _read = null;
        _lasts = lasts;
    }

    /// <summary>Before a server connection is acquired: what may not run takes none, and what wants settings prefers one that has them.</summary>
    public void Prepare()
    {
        statement.User?.Admit(statement.Host!);
        _verdict = statement.Verdict;
        _wanted = statement.User?.WantsSettings != false ? Scope.ResolveSettings() : SettingMap.Empty;
        if (_verdict.Effects != SessionEffects.None)
        {
            Scope.Admit(_verdict, IsSide); // Last, because it may pin the connection.
        }
        else if (_verdict.Has(StatementKind.Drop) || _verdict.Has(StatementKind.Savepoint))
        {
            Scope.Transaction?.OnDebtsChanged(_verdict);
        }
    }

    /// <summary>Whether it runs beside the gate.</summary>
    private bool IsSide => _side is not null;

    /// <summary>Whether the statement runs, or waits at the gate or for a server connection.</summary>
    public bool IsRunning => Volatile.Read(ref _isEntering) != 0;

    /// <summary>The statement has just entered the gate.</summary>
    /// <exception cref="ConcurrentUseException">The command itself runs already, beside the gate, which it then exits.</exception>
    public void OnTaken(ConnectionScope scope, OperationKind kind)
    {
        if (!scope.Guard.MayRunBeside)
        {
            Volatile.Write(ref _isEntering, 1);
        }
        else if (Interlocked.Exchange(ref _isEntering, 1) == 1)
        {
            scope.Gate.Exit(this);
            throw scope.Gate.Refuse(this, kind, this);
        }

        _side = null;
        _scope = scope;
    }

    /// <summary>The statement has found the connection busy, so it runs beside the gate.</summary>
    /// <returns>Where it gets a server connection; after that <see cref="Exit"/> must follow, or <see cref="LeaveSide"/> if it gets none.</returns>
    /// <exception cref="ConcurrentUseException">The options do not allow it, or the command itself runs already.</exception>
    public SideOperations RunBeside(ConnectionScope scope, OperationKind kind)
    {
        var side = scope.Gate.RunBeside(this, kind, this);
        if (Interlocked.CompareExchange(ref _isEntering, 1, 0) != 0)
        {
            throw scope.Gate.Refuse(this, kind, this); // One command cannot run twice at a time, wherever it runs.
        }

        _side = side;
        _scope = scope;
        return side;
    }

    /// <summary>It did not get a server connection.</summary>
    public void LeaveSide() => Volatile.Write(ref _isEntering, 0);

    public void Exit()
    {
        var (scope, side) = (_scope!, _side); // Read first: once it has exited the gate, its next run may write them.
        side?.OnEnded();
        Volatile.Write(ref _isEntering, 0);
        if (side is null)
        {
            scope.Gate.Exit(this);
        }
    }

    public void SetReader(IOpenResult reader)
    {
        if (_side is null)
        {
            Scope.Gate.SetReader(reader);
        }
        else
        {
            _side.Add(reader);
        }
    }

    public void RemoveReader(IOpenResult reader)
    {
        if (_side is null)
        {
            Scope.Gate.SetReader(null);
        }
        else
        {
            _side.Remove(reader);
        }
    }

    /// <summary>The reader was given away, so the lease ends with the connection, if it does not end before.</summary>
    private void SetDetached()
    {
        if (_side is null)
        {
            Scope.Gate.SetDetached(this);
        }
    }

    /// <exception cref="InvalidOperationException">A statement is running.</exception>
    public void ThrowIfRunning()
    {
        if (IsRunning)
        {
            throw new InvalidOperationException("The command is running or waits for a server connection, or its reader is open. Close the reader before changing the command.");
        }
    }

    public ConcurrentUseException RefuseRead() => Scope.Gate.Refuse(this, OperationKind.ReadRow, this);
}
