using System.Diagnostics.CodeAnalysis;
using System.Transactions;
using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// The part of a pool in one ambient <see cref="Transaction"/>: one server connection, taken by the first command of any logical
/// connection enlisted in it and held until the transaction completes. Npgsql's own resource manager commits and rolls back.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim whose wait handle is never asked for holds nothing to dispose.")]
internal sealed class AmbientEnlistment : IServerOwner, ILeaseHolder
{
    private readonly TransactionPoolingDataSource _pool;
    private readonly Transaction _transaction;
    private readonly SemaphoreSlim _start = new(1, 1);
    private readonly Lock _gate = new();
    private Lease<ServerConnection>? _lease; // guarded by _gate
    private int _running; // guarded by _gate: statements that are using the server connection
    private bool _isCompleted; // guarded by _gate
    private Exception? _brokenBy; // guarded by _gate

    public AmbientEnlistment(TransactionPoolingDataSource pool, Transaction transaction)
    {
        _pool = pool;
        _transaction = transaction;
    }

    public LeaseScope Scope => LeaseScope.Transaction;

    public string Activity => "ambient transaction";

    public bool IsTransaction => true;

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

            return Start(_pool.Acquire(this, CancellationToken.None));
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

            return Start(await _pool.AcquireAsync(this, cancellationToken).ConfigureAwait(false));
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

        ended?.End();
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
            lease.Connection.Npgsql.EnlistTransaction(_transaction);
        }
        catch (Exception e)
        {
            lease.Connection.Observe(e);
            lease.End();
            throw;
        }

        lock (_gate)
        {
            _lease = lease;
            _running++;
        }

        return new Binding(_pool, lease.Connection, this);
    }

    private ServerConnection? TryEnter()
    {
        lock (_gate)
        {
            if (_isCompleted)
            {
                throw new TransactionException("The ambient transaction has completed; this connection is still enlisted in it. Close the connection and open it again.");
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
        ended?.End();
    }

    private Lease<ServerConnection>? TakeLeaseIfOver()
    {
        if (!_isCompleted || _running > 0)
        {
            return null;
        }

        var lease = _lease;
        _lease = null;
        return lease;
    }}
