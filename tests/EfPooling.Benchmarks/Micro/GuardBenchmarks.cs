using BenchmarkDotNet.Attributes;
using EfPooling.AdoNet;
using EfPooling.Core;

namespace EfPooling.Benchmarks.Micro;

/// <summary>What the concurrency guard costs an operation when nothing is wrong: the gate of the connection, entered and exited.</summary>
public class GuardBenchmarks
{
    private static readonly NamedOperation Operation = new(LeaseScope.Command, "SELECT 1", OperationKind.Scalar);

    private readonly AsyncLocal<string> _flow = new();
    private TransactionPoolingDataSource _pool = null!;
    private LogicalConnection _connection = null!;
    private ConnectionScope _scope = null!;
    private ILeaseHolder? _operation; // Interlocked only

    [GlobalSetup]
    public void Setup()
    {
        _flow.Value = "a flow with something in it, as an application's";
        _pool = TransactionPoolingDataSource.Create("Host=nowhere;Database=nothing");
        _connection = _pool.CreateConnection();
        _scope = new ConnectionScope(_pool.Execution, _connection);
    }

    [GlobalCleanup]
    public async Task Cleanup()
    {
        await _connection.DisposeAsync().ConfigureAwait(false);
        await _pool.DisposeAsync().ConfigureAwait(false);
    }

    [Benchmark(Baseline = true, Description = "enter + exit, compare-and-swap alone")]
    public bool Bare()
    {
        var isEntered = Interlocked.CompareExchange(ref _operation, Operation, null) is null;
        return isEntered && Interlocked.CompareExchange(ref _operation, null, Operation) is not null;
    }

    [Benchmark(Description = "enter + exit, guarded")]
    public bool Guarded()
    {
        var isEntered = _scope.Gate.TryEnter(Operation, OperationKind.Scalar, _connection);
        _scope.Gate.Exit(Operation);
        return isEntered;
    }
}
