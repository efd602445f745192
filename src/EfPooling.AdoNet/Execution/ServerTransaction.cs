using System.Data;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// A transaction of a logical connection. It takes a server connection with its first command, BEGIN travelling along, and
/// gives it back with commit or rollback. Without a command it never reaches the server.
/// </summary>
internal sealed partial class ServerTransaction : IPlacement, IServerOwner, ILeaseHolder, ICallSiteSource
{
    private static readonly NamedOperation RollingBack = new(LeaseScope.Transaction, "ROLLBACK", OperationKind.Rollback);

    private readonly IConnectionHost _connection;
    private readonly ConnectionScope _scope;
    private readonly IsolationLevel _isolationLevel;
    private readonly CallerInfo _beginner;

    // All used by the holder of the gate on the connection, unless it says otherwise.
    private TransactionLease? _lease;
    private NpgsqlCommand? _cached; // Interlocked only
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

    string? ICallSiteSource.Text => null;

    string? ICallSiteSource.Origin => _beginner.Describe("the transaction was begun") ?? _connection.Origin;

    /// <summary>Whether it was begun on this connection, whatever became of it.</summary>
    public bool IsOf(IConnectionHost? connection) => ReferenceEquals(_connection, connection);

    /// <summary>The lease of the server connection that the transaction runs on, once it does.</summary>
    public Lease<ServerConnection>? Lease => _lease?.Lease;

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

    /// <summary>Rolls back what was not committed. Does not throw; if the server cannot be told, its connection is closed.</summary>
    public async ValueTask DisposeAsync()
    {
        _disposal.Set(_scope.Guard, _state == State.Ended ? null : _scope.Gate.BusyOperation);
        await LoseConnectionAsync().ConfigureAwait(false);
    }

    /// <summary>Its connection is closed, or it is disposed: rolls back what was not committed. Does not throw.</summary>
    public async ValueTask LoseConnectionAsync()
    {
        if (_state != State.Ended)
        {
            await CloseReaderQuietlyAsync().ConfigureAwait(false);
            _isAbandoned = true; // If a statement is still running, it rolls back when it ends.
            if (_scope.Gate.TryEnter(RollingBack, OperationKind.Rollback, this))
            {
                await AbandonAsync().ConfigureAwait(false);
                _scope.Gate.Exit(RollingBack);
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
        _disposal.Set(_scope.Guard, _state == State.Ended ? null : _scope.Gate.BusyOperation);
        LoseConnection();
    }

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

    /// <summary>Disposed, or its connection closed, so that the holder of the gate on the connection ends it.</summary>
    public bool IsAbandoned => _isAbandoned;

    /// <summary>Rolls back if no other caller holds the gate; its holder calls this when giving it up.</summary>
    public void EndAbandoned()
    {
        if (_scope.Gate.TryEnter(RollingBack, OperationKind.Rollback, this))
        {
            Abandon();
            _scope.Gate.Exit(RollingBack);
        }
    }

    // What the reader has not read yet does not matter any more: it is rolled back.
    private void CloseReaderQuietly(bool late = false)
    {
        try
        {
            if (late)
            {
                _scope.Gate.CloseLateReader();
            }
            else
            {
                _scope.Gate.CloseReader();
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
            await (late ? _scope.Gate.CloseLateReaderAsync() : _scope.Gate.CloseReaderAsync()).ConfigureAwait(false);
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
}
