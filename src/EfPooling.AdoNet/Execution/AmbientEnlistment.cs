using System.Diagnostics.CodeAnalysis;
using System.Transactions;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// The part of a pool in one ambient <see cref="Transaction"/>: one server connection, taken by the first command of any logical
/// connection enlisted in it and held until the transaction completes. A connection that was pinned before it enlisted keeps its
/// session instead.
/// </summary>
/// <remarks><see cref="AmbientOutcome"/> ends it.</remarks>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim whose wait handle is never asked for, and a clone that the end of its transaction frees, hold nothing to dispose.")]
internal sealed class AmbientEnlistment : IServerOwner, ILeaseHolder
{
    private readonly PoolExecution _execution;
    private readonly PoolContext _pool;
    private readonly Transaction _transaction; // a clone: the caller may dispose the original before the transaction completes
    private readonly PinnedSession? _session;
    private readonly SemaphoreSlim _start = new(1, 1);
    private readonly Lock _gate = new();
    private bool _isEnlisted; // guarded by _start
    private TransactionLease? _lease; // guarded by _gate
    private IReaderLease? _statement; // guarded by _gate: the latest, which an abort stops
    private ConnectionScope? _user; // guarded by _gate: of the latest statement
    private readonly List<(ConnectionScope User, string Reason)> _sessions = []; // guarded by _gate: to whom the server connection is leased as a session
    private int _running; // guarded by _gate: statements that are using the server connection
    private bool _isCompleted; // guarded by _gate
    private Exception? _brokenBy; // guarded by _gate

    /// <param name="execution">Of the pool from which the server connection comes.</param>
    /// <param name="transaction">What it takes part in.</param>
    /// <param name="session">Where the server connection comes from if the logical connection is pinned; otherwise <c>null</c>.</param>
    public AmbientEnlistment(PoolExecution execution, Transaction transaction, PinnedSession? session)
    {
        _execution = execution;
        _pool = execution.Pool;
        _transaction = transaction.Clone();
        _session = session;
    }

    public LeaseScope Scope => LeaseScope.Transaction;

    public string Activity => "ambient transaction";

    public bool IsTransaction => true;

    /// <summary>Whether the caller stands in the scope of this transaction.</summary>
    public bool IsCurrent => Transaction.Current is { } current && Takes(current);

    public bool IsCompleted
    {
        get
        {
            lock (_gate)
            {
                return _isCompleted;
            }
        }
    }

    public Lease<ServerConnection>? Lease
    {
        get
        {
            lock (_gate)
            {
                return _lease?.Lease;
            }
        }
    }

    public bool Takes(Transaction transaction) => _transaction.Equals(transaction);

    /// <summary>Begins to watch for the end of the transaction. Call once, after the enlistment can be found by others.</summary>
    public void Watch() => _transaction.TransactionCompleted += (_, _) =>
    {
        _execution.Forget(_transaction);
        lock (_gate)
        {
            _isCompleted = true; // All that is left to do if no command ran; otherwise this is enlisted and was told before.
        }
    };

    /// <param name="operation">What is to run.</param>
    /// <param name="user">Whose it is; it holds the gate.</param>
    /// <exception cref="ConcurrentUseException">A statement of another connection in the same transaction runs.</exception>
    public Binding Bind(ILeaseHolder operation, ConnectionScope user)
    {
        _start.Wait(); // Only while another caller in the same transaction acquires, which QueryWaitTimeout limits.
        try
        {
            return TryEnter(operation, user) ?? Start(_session?.Enter() ?? _pool.Acquire(this, CancellationToken.None), operation, user);
        }
        finally
        {
            _start.Release();
        }
    }

    /// <inheritdoc cref="Bind"/>
    public async ValueTask<Binding> BindAsync(ILeaseHolder operation, ConnectionScope user, CancellationToken cancellationToken)
    {
        await _start.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return TryEnter(operation, user)
                ?? Start(_session?.Enter() ?? await _pool.AcquireAsync(this, cancellationToken).ConfigureAwait(false), operation, user);
        }
        finally
        {
            _start.Release();
        }
    }

    /// <summary>Lets a connection use the server connection itself; others in the transaction must wait until that has ended.</summary>
    /// <exception cref="TransactionException">The transaction has completed.</exception>
    /// <exception cref="ConcurrentUseException">Another connection in the transaction is running something.</exception>
    public SessionGrant LeaseSession(ConnectionScope user, string reason)
    {
        var lease = Lease ?? throw Completed();
        lock (_gate)
        {
            if (_running > 0 && !ReferenceEquals(_user, user))
            {
                throw user.Gate.RefuseShared(_user!.Gate);
            }

            _sessions.Add((user, reason));
        }

        return new SessionGrant(
            lease,
            End,
            () =>
            {
                End();
                return ValueTask.CompletedTask;
            });

        void End()
        {
            lock (_gate)
            {
                _sessions.Remove((user, reason));
            }
        }
    }

    /// <summary>The transaction cannot commit any more.</summary>
    public void OnServerBroken(Exception cause)
    {
        ConnectionScope? user;
        ServerConnection? server;
        lock (_gate)
        {
            _brokenBy ??= cause;
            (user, server) = (_user, _lease?.Server);
        }

        if (server is not null)
        {
            user?.OnLost(server);
        }
    }

    public void OnStatementEnded()
    {
        TransactionLease? abandoned;
        lock (_gate)
        {
            _running--;
            abandoned = _isCompleted ? TakeUnused() : null;
        }

        abandoned?.RollBackAndEndQuietly();
    }

    public ValueTask OnStatementEndedAsync()
    {
        OnStatementEnded();
        return ValueTask.CompletedTask;
    }

    public static TransactionException Completed()
        => new("The ambient transaction has completed already, by a time-out or rollback if you did not complete it. Leave its scope, and begin another one.");

    /// <summary>What failed when the server connection broke; <c>null</c> if nobody saw it.</summary>
    public Exception? BrokenBy
    {
        get
        {
            lock (_gate)
            {
                return _brokenBy;
            }
        }
    }

    /// <summary>The statement that is using the server connection, if one is that can be stopped.</summary>
    public IReaderLease? RunningStatement
    {
        get
        {
            lock (_gate)
            {
                return _running > 0 ? _statement : null;
            }
        }
    }

    /// <summary>Admits no further statement.</summary>
    /// <param name="isBusy">Whether a statement is running. It will roll back when it ends.</param>
    /// <returns>The lease, which the caller ends or puts back; <c>null</c> if a statement is running, or if there is none.</returns>
    public TransactionLease? Complete(out bool isBusy)
    {
        lock (_gate)
        {
            _isCompleted = true;
            isBusy = _running > 0;
            return TakeUnused();
        }
    }

    /// <summary>Keeps the lease of a transaction that was prepared until it is completed again.</summary>
    public void PutBack(TransactionLease lease)
    {
        lock (_gate)
        {
            _lease = lease;
        }
    }

    /// <summary>Why the transaction cannot commit although it has other participants: the server does not prepare transactions, or this one has failed.</summary>
    /// <returns><c>null</c>: nothing is known against it.</returns>
    public Exception? FindObstacle()
    {
        if (TransactionParticipants.Find(_transaction) is not { Count: > 1 } participants)
        {
            return null;
        }

        ServerConnection server;
        lock (_gate)
        {
            if (_running > 0 || _lease is null)
            {
                return null; // It aborts, or has nothing to prepare.
            }

            _running++;
            _statement = null; // An abort meanwhile stops nobody's command.
            server = _lease.Server;
        }

        try
        {
            return server.IsBroken ? new TransactionBrokenException(BrokenBy) : server.ReadSetting("max_prepared_transactions") == "0" ? new TwoPhaseCommitException(TransactionParticipants.Describe(participants), DescribeServer()) : null;
        }
        catch (NpgsqlException e)
        {
            server.Observe(e); // A broken connection, or a transaction in which a statement failed.
            return e;
        }
        finally
        {
            OnStatementEnded();
        }
    }

    /// <summary>Names the server and the database in messages.</summary>
    public string DescribeServer() => $"the server of database '{_pool.Database}' ({_pool.Server})";

    private Binding Start(Lease<ServerConnection> acquired, ILeaseHolder operation, ConnectionScope user)
    {
        var lease = new TransactionLease(_pool, acquired, _session);
        try
        {
            if (!_isEnlisted)
            {
                _transaction.EnlistVolatile(new AmbientCheck(FindObstacle), EnlistmentOptions.EnlistDuringPrepareRequired);
                _transaction.EnlistVolatile(new AmbientOutcome(_pool, this), EnlistmentOptions.None);
                _isEnlisted = true;
            }
        }
        catch
        {
            lease.End();
            throw;
        }

        lease.Begin(IsolationOf(_transaction.IsolationLevel));
        lock (_gate)
        {
            if (!_isCompleted)
            {
                _lease = lease;
                return Entered(lease, operation, user);
            }
        }

        lease.End();
        throw Completed();
    }

    private Binding? TryEnter(ILeaseHolder operation, ConnectionScope user)
    {
        lock (_gate)
        {
            if (_isCompleted)
            {
                throw Completed();
            }

            if (_brokenBy is not null)
            {
                throw new TransactionBrokenException(_brokenBy);
            }

            if (_running > 0)
            {
                throw user.Gate.RefuseShared(_user!.Gate); // Its statement would change the settings under the one that runs.
            }

            if (_sessions.Find(session => !ReferenceEquals(session.User, user)) is { User: not null } other)
            {
                throw user.Gate.RefuseShared(other.User.Gate, other.Reason);
            }

            return _lease is { } lease ? Entered(lease, operation, user) : null;
        }
    }

    // Requires the gate.
    private Binding Entered(TransactionLease lease, ILeaseHolder operation, ConnectionScope user)
    {
        _running++;
        _user = user;
        _statement = operation as IReaderLease;
        lease.Server.Holder = user;
        return new Binding(lease.Server, this);
    }

    // Requires the gate.
    private TransactionLease? TakeUnused()
    {
        if (_running > 0)
        {
            return null;
        }

        var lease = _lease;
        _lease = null;
        return lease;
    }

    private static System.Data.IsolationLevel IsolationOf(IsolationLevel level) => level switch
    {
        IsolationLevel.Serializable => System.Data.IsolationLevel.Serializable,
        IsolationLevel.RepeatableRead => System.Data.IsolationLevel.RepeatableRead,
        IsolationLevel.Snapshot => System.Data.IsolationLevel.Snapshot,
        IsolationLevel.ReadUncommitted => System.Data.IsolationLevel.ReadUncommitted,
        IsolationLevel.ReadCommitted => System.Data.IsolationLevel.ReadCommitted,
        IsolationLevel.Chaos => System.Data.IsolationLevel.Chaos,
        _ => System.Data.IsolationLevel.Unspecified,
    };
}
