using System.Data;
using EfPooling.AdoNet;
using EfPooling.Core;

namespace EfPooling.Interleavings.Tests;

/// <summary>
/// One open connection that the flows of a scenario share, and what is known of their operations: who runs now and on what, in which order they called,
/// queued and ran. Used by one flow at a time, as the explorer moves them.
/// </summary>
internal sealed class ConnectionWorld
{
    private readonly List<Operation> _operations = [];
    private readonly Dictionary<ServerConnection, Operation> _running = [];
    private readonly ConnectionScope _scope;
    private readonly long _granted;
    private Operation? _claimant;
    private int _step;

    public ConnectionWorld(TransactionPoolingDataSource pool)
    {
        Pool = pool;
        Connection = pool.OpenConnection();
        _scope = Connection.OpenScope;
        _granted = pool.GetSnapshot().LeasesGranted;
    }

    public TransactionPoolingDataSource Pool { get; }

    public LogicalConnection Connection { get; }

    public OperationGate Gate => _scope.Gate;

    public int Ran => _operations.Count(operation => operation.RanAt > 0);

    public int Refused { get; private set; }

    private bool KeepsSession => _scope.Session is not null && !_scope.IsClosed;

    /// <summary>What else must hold at the end.</summary>
    public Action? Also { get; set; }

    public long LeasesGranted => Pool.GetSnapshot().LeasesGranted - _granted;

    /// <summary>The scenario whose flows use this connection.</summary>
    public Scenario NewScenario() => new() { Always = Look, AtEnd = VerifyFree };

    /// <summary>A statement that takes what statements take and gives it back; nothing is sent, unless it begins a transaction.</summary>
    /// <param name="sql">What it would run.</param>
    /// <returns>Whether it ran; otherwise it was refused.</returns>
    public bool Statement(string sql = "SELECT 1")
        => Run(sql, lease => StatementRunner.Begin(lease, LeaseScope.Command, OperationKind.Scalar), lease => lease.End());

    /// <inheritdoc cref="Statement"/>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public bool StatementAsync(CancellationToken cancellationToken = default)
        => Run(
            "SELECT 1",
            lease => StatementRunner.BeginAsync(lease, LeaseScope.Command, OperationKind.Scalar, shared: null, cancellationToken).AsTask().GetAwaiter().GetResult(),
            lease => lease.EndAsync().AsTask().GetAwaiter().GetResult());

    /// <summary>Any operation.</summary>
    /// <returns>Whether it ran; otherwise it was refused.</returns>
    public bool Try(Action act) => Try<ConcurrentUseException>(act);

    /// <summary>An operation that may come too late, because another flow ends what it works on.</summary>
    /// <returns>Whether it ran.</returns>
    public bool TryLate(Action act) => Try<InvalidOperationException>(act); // Of which refused and disposed are kinds.

    private bool Try<TAllowed>(Action act)
        where TAllowed : Exception
    {
        try
        {
            act();
            return true;
        }
        catch (TAllowed e)
        {
            Refused += e is ConcurrentUseException ? 1 : 0;
            return false;
        }
    }

    /// <summary>Looked at before each step.</summary>
    public void Look()
    {
        _step++;
        foreach (var queued in Gate.Queue())
        {
            foreach (var operation in _operations)
            {
                if (ReferenceEquals(operation.Lease, queued) && operation.QueuedAt == 0)
                {
                    operation.QueuedAt = _step;
                }
            }
        }
    }

    /// <summary>Nothing is in flight, nobody waits, nothing is leased, and the next operation is admitted at once, beside a reader too if it may.</summary>
    public void VerifyFree()
    {
        Assert.Null(Gate.Operation());
        Assert.Null(Gate.Reader());
        Assert.Empty(Gate.Queue());
        Assert.Empty(_running);
        var snapshot = Pool.GetSnapshot();
        Assert.True(snapshot is { Waiting: 0 } && (KeepsSession ? snapshot.InUse <= 1 : snapshot.InUse == 0), $"{snapshot}");
        VerifyOrder();
        Also?.Invoke();
        if (Connection.State != ConnectionState.Open)
        {
            Assert.Equal(0, snapshot.InUse);
            Assert.True(Gate.TryEnter(new Nobody(), OperationKind.Scalar, null));
            Connection.Open();
        }

        Assert.Null(Connection.CurrentTransaction);
        Assert.True(Statement());
        Connection.Dispose();
        Assert.Equal(0, Pool.GetSnapshot().InUse);
    }

    private bool Run(string sql, Action<StatementExecution> begin, Action<StatementExecution> end)
    {
        var operation = new Operation(new StatementExecution(new LogicalCommand(sql, Connection))) { CalledAt = _step };
        _operations.Add(operation);
        try
        {
            begin(operation.Lease);
        }
        catch (ConcurrentUseException)
        {
            Refused++;
            Assert.False(operation.Lease.IsRunning, "A refused statement goes on holding something.");
            return false;
        }

        try
        {
            Inside(operation);
        }
        finally
        {
            end(operation.Lease);
        }

        return true;
    }

    // The flow uses the server connection, and the gate if it has that; no other one may at the same time.
    private void Inside(Operation operation)
    {
        var lease = operation.Lease;
        var server = lease.Binding.Server;
        operation.RanAt = ++_step;
        Assert.True(_running.TryAdd(server, operation), "Two operations run on one server connection.");
        if (lease.HasEntered)
        {
            Assert.Null(_claimant);
            _claimant = operation;
            Assert.Same(lease, lease.Scope.Gate.Operation());
        }

        SwitchPoint.Reach("inside");
        _running.Remove(server);
        if (lease.HasEntered)
        {
            Assert.Same(operation, _claimant);
            Assert.Same(lease, lease.Scope.Gate.Operation());
            _claimant = null;
        }
    }

    // Who was in the queue when another one called runs before it.
    private void VerifyOrder()
    {
        foreach (var first in _operations.Where(operation => operation is { QueuedAt: > 0, RanAt: > 0 }))
        {
            Assert.DoesNotContain(_operations, later => later.CalledAt > first.QueuedAt && later.RanAt > 0 && later.RanAt < first.RanAt);
        }
    }

    private sealed class Operation(StatementExecution lease)
    {
        public StatementExecution Lease => lease;

        public int CalledAt { get; init; }

        public int QueuedAt { get; set; }

        public int RanAt { get; set; }
    }

    private sealed class Nobody : ILeaseHolder
    {
        public LeaseScope Scope => LeaseScope.Command;

        public string? Activity => null;
    }
}
