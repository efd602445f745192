using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// What a command or batch holds while it runs, and who may stop or end it: the claim on its logical connection, then the binding to a
/// server connection or its turn in a read batch. One for all runs of the statement, which come one after the other.
/// </summary>
internal sealed class StatementLease(IPooledStatement statement) : ILeaseHolder, IReaderLease, ICallSiteSource
{
    private StatementClaim _claim;
    private Binding _binding; // guarded by the monitor of this for Cancel; otherwise used by the one operation that the claim admits
    private bool _isRunning; // guarded by the monitor of this
    private BatchedRead? _batchedRead; // guarded by the monitor of this: waits for its turn

    // Used by the one operation that the claim admits.
    private bool _isDetached;
    private bool _hasFailed; // some run, or the reading of its results
    private bool _mayBeCommitted; // what was sent is no proven read, and no transaction of the caller's decides about it
    private CancellationToken _token;
    private SettingMap _wanted = SettingMap.Empty;
    private SqlVerdict? _verdict;
    private BatchedRead? _read; // in place of a server connection of its own
    private SoloRun? _solo; // if it could have had that

    public LeaseScope Scope { get; private set; }

    public string? Activity => SqlText.ShortenOrNull(statement.Text);

    public BatchedRead? BatchedRead => _read;

    public object? Affinity => _wanted.IsEmpty ? null : _wanted;

    public ConcurrencyGuard Guard => ConnectionScope.Guard;

    string? ICallSiteSource.Text => statement.Text;

    string? ICallSiteSource.Origin => statement.Origin ?? statement.Host?.Origin;

    /// <summary>Whose it is.</summary>
    public IPooledStatement Statement => statement;

    /// <summary>Its claim on the connection.</summary>
    public ref StatementClaim Claim => ref _claim;

    /// <summary>Of the connection on which it runs.</summary>
    public ConnectionScope ConnectionScope => _claim.ConnectionScope;

    /// <summary>The server connection on which it runs.</summary>
    public ref readonly Binding Binding => ref _binding;

    /// <summary>The settings with which it is to run.</summary>
    public SettingMap Wanted => _wanted;

    public SqlVerdict Verdict => _verdict!;

    /// <summary>What is about to be sent is not proven to leave the data as they were.</summary>
    public bool MayWrite { get; set; }

    /// <summary>The latest run had the claim and has ended, and none has failed or has given its reader away: nobody uses the statement, or waits to.</summary>
    public bool IsClean => HasTakenClaim && !_claim.IsRunning && !_hasFailed && !_isDetached;

    /// <summary>The caller's.</summary>
    public CancellationToken Token => _token;

    /// <summary>The latest run had the claim on its connection, so that nobody else was using that.</summary>
    public bool HasTakenClaim { get; private set; }

    /// <summary>
    /// The connection was closed, or the transaction disposed, while the statement ran or waited. Nobody can use what it returns, so that closes itself at once.
    /// </summary>
    public bool IsOrphaned => ConnectionScope.IsClosed || (!_claim.IsSide && ConnectionScope.Transaction is { IsAbandoned: true });

    /// <summary>What whoever still awaits an <see cref="IsOrphaned">orphaned</see> statement is told.</summary>
    public static InvalidOperationException Orphaned()
        => new("The connection was closed, or the transaction disposed, while this statement ran or waited; its results are lost. Await every operation before closing the connection.");

    /// <summary>A run is wanted, and has nothing yet.</summary>
    public void Reset() => HasTakenClaim = false;

    /// <summary>A run begins, which has the claim or leave to run beside it.</summary>
    public void Start(LeaseScope scope, bool hasClaim, CancellationToken cancellationToken)
    {
        HasTakenClaim = hasClaim;
        _token = cancellationToken;
        _isDetached = false;
        _mayBeCommitted = false;
        _read = null;
        Scope = scope;
    }

    /// <summary>Before a server connection is acquired: what may not run takes none, and what wants settings prefers one that has them.</summary>
    public void Prepare()
    {
        statement.User?.Admit(statement.Host!);
        _verdict = statement.Verdict;
        _wanted = statement.User?.WantsSettings != false ? ConnectionScope.ResolveSettings() : SettingMap.Empty;
        if (_verdict.Effects != SessionEffects.None)
        {
            ConnectionScope.Admit(_verdict, _claim.IsSide); // Last, because it may pin the connection.
        }
        else if (_verdict.Has(StatementKind.Drop) || _verdict.Has(StatementKind.Savepoint))
        {
            ConnectionScope.Transaction?.OnDebtsChanged(_verdict);
        }
    }

    /// <summary>It waits for its turn in a read batch, until <see cref="Enter"/> or <see cref="OnNotShared"/>.</summary>
    public void OnQueuedToShare(BatchedRead read)
    {
        lock (this)
        {
            _batchedRead = read;
        }
    }

    public void OnNotShared()
    {
        lock (this)
        {
            _batchedRead = null;
        }
    }

    /// <summary>From now on the statement may use the server connection, or has its turn in a read batch; <see cref="End"/> must follow.</summary>
    public void Enter(Binding binding, BatchedRead? read = null, SoloRun? solo = null)
    {
        _solo = solo;
        lock (this)
        {
            _binding = binding;
            _read = read;
            _batchedRead = null;
            _isRunning = true;
        }
    }

    /// <summary>Asks the server to stop what is running, from any thread; does nothing if nothing is.</summary>
    public void Cancel()
    {
        // Keeps away from the end of the lease: a cancel request must never reach the next owner of the server connection.
        lock (this)
        {
            if (_isRunning)
            {
                _binding.Server.Mark(Taint.Suspect);
                if (_read is not null)
                {
                    _read.CancelServer();
                }
                else
                {
                    statement.CancelInner();
                }
            }
            else
            {
                _batchedRead?.CancelInBatch();
            }
        }
    }

    /// <exception cref="InvalidOperationException">A statement is running.</exception>
    public void ThrowIfRunning()
    {
        if (_claim.IsRunning)
        {
            throw new InvalidOperationException("The command is running or waits for a server connection, or its reader is open. Close the reader before changing the command.");
        }
    }

    /// <summary>The statement itself is about to be sent.</summary>
    public void OnSending(OperationKind kind)
        => _mayBeCommitted = kind != OperationKind.Prepare && !_binding.IsInTransaction && MayWrite && !_binding.Server.IsAbandoned;

    /// <inheritdoc/>
    public bool IsOutcomeUnknown(Exception error)
        => _mayBeCommitted && _binding.Server.IsBroken && error is not (PostgresException or OperationCanceledException); // The server has answered; the caller has stopped waiting.

    /// <summary>It is about to run again, in a transaction that knows nothing of the first time.</summary>
    public void Restart()
    {
        try
        {
            _binding.Restart();
        }
        catch (Exception e)
        {
            OnFailed(e);
            throw;
        }
    }

    /// <inheritdoc cref="Restart"/>
    public ValueTask RestartAsync()
    {
        return _binding.IsInTransaction ? AwaitAsync() : ValueTask.CompletedTask;

        async ValueTask AwaitAsync()
        {
            try
            {
                await _binding.RestartAsync().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                OnFailed(e);
                throw;
            }
        }
    }

    /// <summary>Running it failed.</summary>
    public void OnFailed(Exception error)
    {
        _hasFailed = true;
        _binding.Observe(error);
        _solo?.OnFailed(error);
    }

    /// <summary>Reading its results failed.</summary>
    public void Observe(Exception error)
    {
        OnFailed(error);
        if (!statement.IsOneTransaction)
        {
            // Npgsql takes a batch with error barriers for read when reading fails, although the answers behind the barrier are still to come.
            _binding.Server.Mark(Taint.Desynchronized);
        }
    }

    public void Suspect() => _binding.Server.Mark(Taint.Suspect);

    /// <summary>A cancel request that the server got after it had finished the statement might still hit the next one.</summary>
    public void NoteLateCancel()
    {
        if (_token.IsCancellationRequested)
        {
            Suspect();
        }
    }

    public ConcurrentUseException RefuseRead() => ConnectionScope.Claim.Refuse(this, OperationKind.ReadRow, this);

    public void SetReader(IOpenResult reader) => _claim.SetReader(reader);

    public void RemoveReader(IOpenResult reader) => _claim.RemoveReader(reader);

    /// <summary>From now on the lease ends with the command, whose reader was given away, or with the connection.</summary>
    public void Detach()
    {
        _isDetached = true;
        _binding.Server.Settings.OnUnobserved();
        NpgsqlInternals.RenewReader(_binding.Server.Npgsql); // Somebody may keep this one.
        _claim.SetDetached(this);
        if (IsOrphaned)
        {
            EndDetached();
        }
    }

    /// <summary>Ends the lease if the reader was given away.</summary>
    public void EndDetached()
    {
        if (_isDetached)
        {
            NoteLateCancel();
            NoteLostAnswer();
            End();
        }
    }

    /// <inheritdoc cref="EndDetached"/>
    public ValueTask EndDetachedAsync()
    {
        if (!_isDetached)
        {
            return ValueTask.CompletedTask;
        }

        NoteLateCancel();
        NoteLostAnswer();
        return EndAsync();
    }

    private void NoteLostAnswer()
    {
        if (_mayBeCommitted && _binding.Server.IsBroken && statement.Host is { } connection)
        {
            connection.OnAnswerLost();
        }
    }

    public void End()
    {
        if (!TryLeave(out var binding))
        {
            return;
        }

        try
        {
            binding.End();
        }
        finally
        {
            _claim.GiveUp(this);
        }
    }

    public ValueTask EndAsync()
    {
        if (!TryLeave(out var binding))
        {
            return ValueTask.CompletedTask;
        }

        ValueTask ending;
        try
        {
            ending = binding.EndAsync();
        }
        catch
        {
            _claim.GiveUp(this);
            throw;
        }

        if (!ending.IsCompletedSuccessfully)
        {
            return AwaitAsync(ending);
        }

        _claim.GiveUp(this);
        return ending;

        async ValueTask AwaitAsync(ValueTask ending)
        {
            try
            {
                await ending.ConfigureAwait(false);
            }
            finally
            {
                _claim.GiveUp(this);
            }
        }
    }

    private bool TryLeave(out Binding binding)
    {
        lock (this)
        {
            binding = _binding;
            if (!_isRunning)
            {
                return false;
            }

            _isRunning = false;
            _read = null; // A command lives longer than its run.
        }

        _solo?.End();
        _solo = null;
        return true;
    }
}
