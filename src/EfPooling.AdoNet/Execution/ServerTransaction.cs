using System.Data;
using System.Runtime.CompilerServices;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// A transaction of a logical connection. It takes a server connection with its first command, BEGIN travelling along, and
/// gives it back with commit or rollback. Without a command it never reaches the server.
/// </summary>
internal sealed class ServerTransaction : IPlacement, IServerOwner, ILeaseHolder, ICallSiteSource
{
    private static readonly NamedOperation Committing = new(LeaseScope.Transaction, "COMMIT", OperationKind.Commit);
    private static readonly NamedOperation RollingBack = new(LeaseScope.Transaction, "ROLLBACK", OperationKind.Rollback);
    private static readonly NamedOperation Saving = new(LeaseScope.Transaction, "SAVEPOINT", OperationKind.Savepoint);

    private readonly IConnectionHost _connection;
    private readonly ConnectionScope _scope;
    private readonly IsolationLevel _isolationLevel;
    private readonly CallerInfo _beginner;

    // All used by whoever has claimed the connection.
    private TransactionLease? _lease;
    private CachedCommand _cached; // thread-safe by itself
    private State _state;
    private Exception? _brokenBy;
    private bool _hasBroken; // before it ended
    private bool _isFirst; // nothing ran before what runs now

    private SessionDebts? _debts; // what it must end before it commits; null if it never made anything

    private ILeaseHolder? _activity; // read by diagnostics from any thread
    private volatile bool _isAbandoned;
    private DisposalNote _disposal; // written by the first dispose

    public ServerTransaction(IConnectionHost connection, ConnectionScope scope, IsolationLevel isolationLevel, CallerInfo beginner)
    {
        if (isolationLevel == IsolationLevel.Chaos)
        {
            throw new NotSupportedException("PostgreSQL has no isolation level Chaos. Use ReadCommitted, RepeatableRead, Snapshot or Serializable.");
        }

        _connection = connection;
        _scope = scope;
        _beginner = beginner;
        _isolationLevel = isolationLevel == IsolationLevel.Unspecified ? IsolationLevel.ReadCommitted : isolationLevel;
    }

    private enum State
    {
        Begun,
        OnServer,
        Broken,
        CommitFailed,
        Ended,
    }

    /// <exception cref="InvalidOperationException">The transaction has completed, as with Npgsql.</exception>
    public IsolationLevel IsolationLevel
    {
        get
        {
            ThrowIfDisposed();
            return IsOver ? throw Completed() : _isolationLevel;
        }
    }

    /// <summary>Its connection has not been closed since it was begun.</summary>
    /// <exception cref="ObjectDisposedException">The transaction was disposed.</exception>
    public bool HasConnection
    {
        get
        {
            RefuseIfDisposed();
            return !_isAbandoned && !_scope.IsClosed;
        }
    }

    /// <summary>Nothing can run in it any more: it was committed, rolled back, disposed, or its connection was closed. A broken one is not over before that.</summary>
    public bool IsOver => _isAbandoned || _state is State.Ended or State.CommitFailed;

    LeaseScope ILeaseHolder.Scope => LeaseScope.Transaction;

    string? ILeaseHolder.Activity => Volatile.Read(ref _activity)?.Activity;

    object? ILeaseHolder.Affinity => Volatile.Read(ref _activity)?.Affinity;

    bool IServerOwner.IsTransaction => true;

    bool IServerOwner.MayRestart => _isFirst && _state == State.OnServer;

    void IServerOwner.Restart() => _lease!.Restart(IsolationLevel);

    Task IServerOwner.RestartAsync() => _lease!.RestartAsync(IsolationLevel);

    string? ICallSiteSource.Text => null;

    string? ICallSiteSource.Origin => _beginner.Describe("the transaction was begun") ?? _connection.Origin;

    /// <summary>Commits the transaction; nothing is sent if it ran no command.</summary>
    /// <exception cref="CommitOutcomeUnknownException">The connection broke while COMMIT was on the wire.</exception>
    /// <exception cref="TransactionBrokenException">The connection broke before; the server has rolled back.</exception>
    public void Commit()
    {
        ThrowIfLostAndDisposed();
        ThrowIfDisposed();
        using var claim = _scope.Claim.Take(Committing, this);
        _debts?.ThrowIfAny();
        if (BeginToEnd())
        {
            try
            {
                _lease!.Inner.Commit();
                _state = State.Ended;
            }
            catch (Exception e) when (CommitFailed(e))
            {
                throw new CommitOutcomeUnknownException(e);
            }
            finally
            {
                EndLease();
            }
        }
    }

    /// <inheritdoc cref="Commit"/>
    /// <param name="cancellationToken">Heeded until COMMIT is sent. After that nothing interrupts it, because the outcome would be unknown.</param>
    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfLostAndDisposed();
        ThrowIfDisposed();
        using var claim = await _scope.Claim.TakeAsync(Committing, this, cancellationToken).ConfigureAwait(false);
        _debts?.ThrowIfAny();
        if (BeginToEnd())
        {
            try
            {
                await _lease!.Inner.CommitAsync(CancellationToken.None).ConfigureAwait(false);
                _state = State.Ended;
            }
            catch (Exception e) when (CommitFailed(e))
            {
                throw new CommitOutcomeUnknownException(e);
            }
            finally
            {
                await EndLeaseAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Rolls the transaction back. Does nothing after a failed commit or a broken connection, when the server has done so; nor does it
    /// throw if the connection breaks now.
    /// </summary>
    public void Rollback()
    {
        ThrowIfDisposed();
        using var claim = _scope.Claim.Take(RollingBack, this);
        if (BeginRollback())
        {
            try
            {
                _lease!.Inner.Rollback();
            }
            catch (Exception e) when (RollbackFailed(e))
            {
                // The server rolls back what belongs to a broken connection.
            }
            finally
            {
                _state = State.Ended;
                EndLease();
            }
        }
    }

    /// <inheritdoc cref="Rollback()"/>
    /// <param name="cancellationToken">Heeded until ROLLBACK is sent.</param>
    public async Task RollbackAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfDisposed();
        using var claim = await _scope.Claim.TakeAsync(RollingBack, this, cancellationToken).ConfigureAwait(false);
        if (BeginRollback())
        {
            try
            {
                await _lease!.Inner.RollbackAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception e) when (RollbackFailed(e))
            {
                // The server rolls back what belongs to a broken connection.
            }
            finally
            {
                _state = State.Ended;
                await EndLeaseAsync().ConfigureAwait(false);
            }
        }
    }

    public void Save(string savepointName) => OnSavepoint(inner => inner.Save(savepointName));

    public Task SaveAsync(string savepointName, CancellationToken cancellationToken)
        => OnSavepointAsync((inner, token) => inner.SaveAsync(savepointName, token), cancellationToken);

    public void Rollback(string savepointName) => OnSavepoint(inner =>
    {
        inner.Rollback(savepointName);
        _debts?.OnRolledBackToSavepoint();
        _lease!.Server.Settings.OnTransactionEnded(); // What was set after the savepoint is undone.
    });

    public Task RollbackAsync(string savepointName, CancellationToken cancellationToken)
        => OnSavepointAsync(
            async (inner, token) =>
            {
                await inner.RollbackAsync(savepointName, token).ConfigureAwait(false);
                _debts?.OnRolledBackToSavepoint();
                _lease!.Server.Settings.OnTransactionEnded(); // What was set after the savepoint is undone.
            },
            cancellationToken);

    public void Release(string savepointName) => OnSavepoint(inner => inner.Release(savepointName));

    public Task ReleaseAsync(string savepointName, CancellationToken cancellationToken)
        => OnSavepointAsync((inner, token) => inner.ReleaseAsync(savepointName, token), cancellationToken);

    /// <summary>Rolls back what was not committed. Does not throw; if the server cannot be told, its connection is closed.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposal.Set(_scope.Guard, _state == State.Ended ? null : _scope.Claim.BusyOperation);
        await LoseConnectionAsync().ConfigureAwait(false);
    }

    /// <summary>Its connection is closed, or it is disposed: rolls back what was not committed. Does not throw.</summary>
    public async ValueTask LoseConnectionAsync()
    {
        if (_state != State.Ended)
        {
            await CloseReaderQuietlyAsync().ConfigureAwait(false);
            _isAbandoned = true; // If a statement is still running, it rolls back when it ends.
            if (_scope.Claim.TryTake(RollingBack, OperationKind.Rollback, this))
            {
                await AbandonAsync().ConfigureAwait(false);
                _scope.Claim.GiveUp(RollingBack);
            }
            else if (_state != State.Ended)
            {
                await CloseReaderQuietlyAsync(late: true).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc cref="DisposeAsync"/>
    public void Dispose()
    {
        _disposal.Set(_scope.Guard, _state == State.Ended ? null : _scope.Claim.BusyOperation);
        LoseConnection();
    }

    /// <summary>Whether it was begun on this connection, whatever became of it.</summary>
    public bool IsOf(IConnectionHost? connection) => ReferenceEquals(_connection, connection);

    /// <inheritdoc cref="LoseConnectionAsync"/>
    public void LoseConnection()
    {
        if (_state != State.Ended)
        {
            CloseReaderQuietly();
            _isAbandoned = true; // If a statement is still running, it rolls back when it ends.
            EndAbandoned();
            if (_state != State.Ended)
            {
                CloseReaderQuietly(late: true);
            }
        }
    }

    /// <summary>Disposed, or its connection closed, so that whoever has the claim on the connection ends it.</summary>
    public bool IsAbandoned => _isAbandoned;

    /// <inheritdoc cref="CachedCommand.Take"/>
    public NpgsqlCommand? TakeCommand() => _cached.Take();

    /// <inheritdoc cref="CachedCommand.TryGive"/>
    public bool TryGiveCommand(NpgsqlCommand command) => _state != State.Ended && _cached.TryGive(command);

    /// <summary>The lease of the server connection that the transaction runs on, once it does.</summary>
    public Lease<ServerConnection>? Lease => _lease?.Lease;

    /// <summary>Rolls back if nobody else has the claim; whoever has it calls this when giving it up.</summary>
    public void EndAbandoned()
    {
        if (_scope.Claim.TryTake(RollingBack, OperationKind.Rollback, this))
        {
            Abandon();
            _scope.Claim.GiveUp(RollingBack);
        }
    }

    /// <summary>Lets the server connection on which the transaction runs stay with its logical connection afterwards.</summary>
    /// <returns><c>null</c>: there is none yet.</returns>
    public PinnedSession? TryPin(PinReason reason) => _lease?.Pin(_scope, reason);

    /// <summary>Lets a text run that makes something in the session, if it can be seen whether the transaction ends it again.</summary>
    public bool TryOwe(SqlVerdict verdict, PinReason reason) => (_debts ??= new SessionDebts()).TryAdd(verdict, reason);

    /// <summary>A text without a need of its own may end what others have made, or bring it back.</summary>
    public void OnDebtsChanged(SqlVerdict verdict) => _debts?.OnChanged(verdict);

    public Binding Bind(ILeaseHolder activity)
    {
        ThrowIfUnusable();
        _activity = activity;
        _isFirst = _state == State.Begun;
        if (_state == State.Begun)
        {
            var wanted = _scope.ResolveSettings();
            var lease = _scope.LeaseForTransaction(this);
            lease.Begin(_isolationLevel, wanted);
            OnStarted(lease);
        }

        return new Binding(_lease!.Server, this);
    }

    public ValueTask<Binding> BindAsync(ILeaseHolder activity, CancellationToken cancellationToken)
    {
        ThrowIfUnusable();
        _activity = activity;
        _isFirst = _state == State.Begun;
        return _state == State.Begun ? BeginAndBindAsync(cancellationToken) : new ValueTask<Binding>(new Binding(_lease!.Server, this));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Binding> BeginAndBindAsync(CancellationToken cancellationToken)
    {
        var wanted = _scope.ResolveSettings();
        var lease = await _scope.LeaseForTransactionAsync(this, cancellationToken).ConfigureAwait(false);
        await lease.BeginAsync(_isolationLevel, wanted, cancellationToken).ConfigureAwait(false);
        OnStarted(lease);
        return new Binding(lease.Server, this);
    }

    void IServerOwner.OnServerBroken(Exception cause)
    {
        if (_state == State.OnServer)
        {
            _brokenBy = cause;
            _state = State.Broken;
            _hasBroken = true;
        }

        if (_lease is { } lease)
        {
            _scope.OnLost(lease.Server);
        }
    }

    void IServerOwner.OnStatementEnded()
    {
        if (_state == State.Broken || _isAbandoned)
        {
            Abandon();
        }
    }

    ValueTask IServerOwner.OnStatementEndedAsync()
        => _state == State.Broken || _isAbandoned ? AbandonAsync() : ValueTask.CompletedTask;

    private void OnStarted(TransactionLease lease)
    {
        (_lease, _state) = (lease, State.OnServer);
        lease.Server.Holder = _scope;
    }

    // EF Core disposes of a transaction whose connection it finds closed, so whoever commits it later never learnt that it was lost.
    private void ThrowIfLostAndDisposed()
    {
        if (_disposal.IsSet && _hasBroken)
        {
            throw Broken();
        }
    }

    private void ThrowIfDisposed()
    {
        RefuseIfDisposed();
        if (_isAbandoned)
        {
            throw Completed();
        }
    }

    private void RefuseIfDisposed()
    {
        if (_disposal.IsSet)
        {
            throw _disposal.Refuse("LogicalTransaction", _scope.Guard, "Begin another transaction.");
        }
    }

    private InvalidOperationException Completed()
        => new(_isAbandoned && !_disposal.IsSet ? "The connection of this transaction was closed, which has rolled it back; begin another one." : "This transaction has completed; begin another one.");

    /// <exception cref="InvalidOperationException">A command is to run in this transaction, which is over.</exception>
    public void ThrowIfOver()
    {
        if (IsOver)
        {
            throw new InvalidOperationException(
                $"The transaction of this command {(_disposal.IsSet ? "was disposed" : _isAbandoned ? "was rolled back when its connection was closed" : "has completed")}, and the command does not run outside of it. Set its Transaction to the one that it belongs to, or to null.");
        }
    }

    private void ThrowIfUnusable()
    {
        NoteIfBroken();
        if (_state == State.Broken)
        {
            throw Broken();
        }

        if (_state != State.Begun && _state != State.OnServer)
        {
            throw Completed();
        }
    }

    private TransactionBrokenException Broken() => new(_brokenBy);

    public InvalidOperationException DescribeLoss() => Broken();

    /// <summary>The connection may have broken where nobody observed it: in a stream of a reader, or while it was idle.</summary>
    public void NoteIfBroken()
    {
        if (_state == State.OnServer && _lease!.Server.IsBroken)
        {
            var server = _lease.Server;
            _state = State.Broken;
            _hasBroken = true;
            EndLease();
            _scope.OnLost(server);
        }
    }

    /// <returns>Whether the server must be told.</returns>
    private bool BeginToEnd()
    {
        ThrowIfUnusable();
        if (_state == State.OnServer)
        {
            return true;
        }

        _state = State.Ended;
        _scope.OnTransactionEnded(this);
        return false;
    }

    private bool BeginRollback()
    {
        NoteIfBroken();
        if (_state is State.Broken or State.CommitFailed)
        {
            _state = State.Ended;
            _scope.OnTransactionEnded(this);
            return false;
        }

        return BeginToEnd();
    }

    /// <returns>Whether the outcome is unknown; else the server has refused to commit and rolled back.</returns>
    private bool CommitFailed(Exception error)
    {
        _state = State.CommitFailed;
        _lease!.Server.Observe(error);
        _scope.OnLost(_lease.Server);
        return _lease.Server.IsBroken;
    }

    /// <returns>Whether the connection broke; else the failure is the caller's to see.</returns>
    private bool RollbackFailed(Exception error)
    {
        _lease!.Server.Observe(error);
        if (_lease.Server.IsBroken)
        {
            Log.RollbackFailed(_scope.Pool.Logger, error);
            _scope.OnLost(_lease.Server);
        }

        return _lease.Server.IsBroken;
    }

    // Settings are left to the next statement: a savepoint needs none, and a failed transaction takes none before it is rolled back to one.
    private void OnSavepoint(Action<NpgsqlTransaction> act)
    {
        ThrowIfDisposed();
        using var claim = _scope.Claim.Take(Saving, this);
        var binding = Bind(Saving);
        try
        {
            act(_lease!.Inner);
        }
        catch (Exception e)
        {
            binding.Observe(e);
            throw;
        }
        finally
        {
            binding.End();
        }
    }

    private async Task OnSavepointAsync(Func<NpgsqlTransaction, CancellationToken, Task> act, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        using var claim = await _scope.Claim.TakeAsync(Saving, this, cancellationToken).ConfigureAwait(false);
        var binding = await BindAsync(Saving, cancellationToken).ConfigureAwait(false);
        try
        {
            await act(_lease!.Inner, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            binding.Observe(e);
            throw;
        }
        finally
        {
            await binding.EndAsync().ConfigureAwait(false);
        }
    }

    // What the reader has not read yet does not matter any more: it is rolled back.
    private void CloseReaderQuietly(bool late = false)
    {
        try
        {
            if (late)
            {
                _scope.Claim.CloseLateReader();
            }
            else
            {
                _scope.Claim.CloseReader();
            }
        }
        catch (Exception e)
        {
            Log.ReaderCloseFailed(_scope.Pool.Logger, e);
        }
    }

    private async ValueTask CloseReaderQuietlyAsync(bool late = false)
    {
        try
        {
            await (late ? _scope.Claim.CloseLateReaderAsync() : _scope.Claim.CloseReaderAsync()).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Log.ReaderCloseFailed(_scope.Pool.Logger, e);
        }
    }

    // Ends what a statement or a dispose left: a broken transaction gives up its lease but goes on refusing commands until it is disposed.
    private void Abandon()
    {
        if (_state == State.OnServer)
        {
            _lease!.RollbackQuietly();
            _scope.OnLost(_lease.Server);
        }

        _state = _isAbandoned ? State.Ended : _state;
        EndLease();
    }

    private async ValueTask AbandonAsync()
    {
        if (_state == State.OnServer)
        {
            await _lease!.RollbackQuietlyAsync().ConfigureAwait(false);
            _scope.OnLost(_lease.Server);
        }

        _state = _isAbandoned ? State.Ended : _state;
        await EndLeaseAsync().ConfigureAwait(false);
    }

    private void EndLease()
    {
        var lease = TakeLease();
        lease?.End();
    }

    private ValueTask EndLeaseAsync() => TakeLease()?.EndAsync() ?? ValueTask.CompletedTask;

    private TransactionLease? TakeLease()
    {
        if (_state != State.Broken)
        {
            _scope.OnTransactionEnded(this);
        }

        var lease = _lease;
        _lease = null;
        return lease;
    }
}
