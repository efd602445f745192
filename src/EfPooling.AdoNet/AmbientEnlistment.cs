using System.Diagnostics.CodeAnalysis;
using System.Transactions;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// The part of a pool in one ambient <see cref="Transaction"/>: one server connection, taken by the first command of any logical
/// connection enlisted in it and held until the transaction completes. A connection that was pinned before it enlisted keeps its
/// session instead. Npgsql's own resource manager commits and rolls back.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim whose wait handle is never asked for holds nothing to dispose.")]
internal sealed class AmbientEnlistment : IServerOwner, ILeaseHolder
{
    private readonly TransactionPoolingDataSource _pool;
    private readonly Transaction _transaction; // a clone: the caller may dispose the original before the transaction completes
    private readonly PinnedSession? _session;
    private readonly SemaphoreSlim _start = new(1, 1);
    private readonly Lock _gate = new();
    private Lease<ServerConnection>? _lease; // guarded by _gate
    private int _running; // guarded by _gate: statements that are using the server connection
    private bool _isCompleted; // guarded by _gate
    private Exception? _brokenBy; // guarded by _gate

    /// <param name="pool">Where the server connection comes from.</param>
    /// <param name="transaction">What it takes part in.</param>
    /// <param name="session">Where the server connection comes from if the logical connection is pinned; else <c>null</c>.</param>
    public AmbientEnlistment(TransactionPoolingDataSource pool, Transaction transaction, PinnedSession? session)
    {
        _pool = pool;
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
                return _lease;
            }
        }
    }

    public bool Takes(Transaction transaction) => _transaction.Equals(transaction);

    /// <summary>Begins to watch for the end of the transaction. Call once, after the enlistment can be found by others.</summary>
    public void Watch() => _transaction.TransactionCompleted += (_, _) => Complete();

    public Binding Bind()
    {
        _start.Wait();
        try
        {
            if (TryEnter() is { } server)
            {
                return new Binding(_pool, server, this);
            }

            return Start(_session?.Enter() ?? _pool.Acquire(this, CancellationToken.None));
        }
        finally
        {
            _start.Release();
        }
    }

    public async ValueTask<Binding> BindAsync(CancellationToken cancellationToken)
    {
        await _start.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (TryEnter() is { } server)
            {
                return new Binding(_pool, server, this);
            }

            return Start(_session?.Enter() ?? await _pool.AcquireAsync(this, cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _start.Release();
        }
    }

    /// <summary>The transaction cannot commit any more: Npgsql's resource manager fails on the broken connection.</summary>
    public void OnServerBroken(Exception cause)
    {
        lock (_gate)
        {
            _brokenBy ??= cause;
        }
    }

    public void OnStatementEnded()
    {
        Lease<ServerConnection>? ended;
        lock (_gate)
        {
            _running--;
            ended = TakeLeaseIfOver();
        }

        End(ended);
    }

    public ValueTask OnStatementEndedAsync()
    {
        OnStatementEnded();
        return ValueTask.CompletedTask;
    }

    private Binding Start(Lease<ServerConnection> lease)
    {
        try
        {
            lease.Connection.Enlist(_transaction);
        }
        catch
        {
            End(lease);
            throw;
        }

        lock (_gate)
        {
            if (!_isCompleted)
            {
                _lease = lease;
                _running++;
                return new Binding(_pool, lease.Connection, this);
            }
        }

        End(lease);
        throw Completed();
    }

    private ServerConnection? TryEnter()
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

            if (_lease is not { } lease)
            {
                return null;
            }

            _running++;
            return lease.Connection;
        }
    }

    private void Complete()
    {
        Lease<ServerConnection>? ended;
        lock (_gate)
        {
            _isCompleted = true;
            ended = TakeLeaseIfOver();
        }

        _pool.Forget(_transaction);
        _transaction.Dispose();
        End(ended);
    }

    private void End(Lease<ServerConnection>? lease)
    {
        if (_session is null)
        {
            lease?.End();
        }
        else if (lease is not null)
        {
            _session.OnStatementEnded();
        }
    }

    public static TransactionException Completed()
        => new("The ambient transaction has completed already, by a time-out or rollback if you did not complete it. Leave its scope, and begin another one.");

    private Lease<ServerConnection>? TakeLeaseIfOver()
    {
        if (!_isCompleted || _running > 0)
        {
            return null;
        }

        var lease = _lease;
        _lease = null;
        return lease;
    }
}
