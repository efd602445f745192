using System.Globalization;
using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

/// <summary>
/// The guard on real threads, which are released together again and again, because the explorer of interleavings sees no reorderings by the processor.
/// After every round the connection is free and nothing is leased, and no two operations ever hold the gate at once.
/// </summary>
/// <remarks><c>EFPOOLING_STRESS_ROUNDS</c> sets how many rounds (default 5,000).</remarks>
public sealed class GuardStressTests(ServerFixture fixture, ITestOutputHelper output) : GuardTest(fixture)
{
    private const int Threads = 3;

    private static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("EFPOOLING_STRESS_ROUNDS") ?? "5000", CultureInfo.InvariantCulture);

    private LogicalConnection _connection = null!; // written between rounds
    private LogicalTransaction? _transaction; // written between rounds
    private int _inside; // Interlocked only
    private Exception? _mistake; // Interlocked only; the first one

    [Theory]
    [InlineData(ConcurrentUseMode.Throw, NestedCommandMode.Refuse)]
    [InlineData(ConcurrentUseMode.Serialize, NestedCommandMode.Refuse)]
    [InlineData(ConcurrentUseMode.Throw, NestedCommandMode.OwnServerConnection)]
    public void ThreadsReleasedTogether_RunOneOperationAtATime_AndLeaveTheConnectionFree(ConcurrentUseMode mode, NestedCommandMode nested)
    {
        var seed = Seed.Choose(output);
        var pool = CreateGuardedPool(maxPoolSize: Threads + 1, sampling: CallSiteSampling.Conflicts, configure: options =>
        {
            (options.ConcurrentUse, options.NestedCommands) = (mode, nested);
            options.Multiplexing = MultiplexingMode.Off;
            options.QueryWaitTimeout = TimeSpan.Zero; // Whoever waits for ever fails the test.
        });
        var random = new Random(seed);
        using var barrier = new Barrier(Threads + 1);
        var threads = Enumerable.Range(0, Threads).Select(number => new Thread(() => Serve(barrier, new Random(seed + number + 1)))).ToList();
        threads.ForEach(thread => thread.Start());
        for (var round = 0; round < Rounds; round++)
        {
            _connection = pool.OpenConnection();
            var scope = _connection.OpenScope;
            _transaction = random.Next(2) == 0 ? _connection.BeginTransaction() : null;
            barrier.SignalAndWait();
            barrier.SignalAndWait();
            try
            {
                Assert.False(scope.Transaction is { IsAbandoned: true }, "A transaction that was disposed is left to nobody.");
                _transaction?.Dispose();
                Assert.Null(scope.Gate.RunningOperation);
                Assert.True(pool.GetSnapshot() is { InUse: 0, Waiting: 0 }, $"{pool.GetSnapshot()}");
                using (scope.Gate.Enter(new NamedOperation(LeaseScope.Command, "last", OperationKind.Scalar)))
                {
                }
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref _mistake, e, null);
            }

            _connection.Dispose();
        }

        _connection = null!;
        barrier.SignalAndWait();
        threads.ForEach(thread => thread.Join());
        Assert.True(_mistake is null, $"EFPOOLING_SEED={seed}: {_mistake}");
    }

    private void Serve(Barrier barrier, Random random)
    {
        while (true)
        {
            barrier.SignalAndWait();
            if (_connection is not { } connection)
            {
                return;
            }

            try
            {
                Act(connection, random);
            }
            catch (InvalidOperationException)
            {
                // Refused, or too late: what it works on has been ended.
            }
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref _mistake, e, null);
            }

            barrier.SignalAndWait();
        }
    }

    private void Act(LogicalConnection connection, Random random)
    {
        switch (random.Next(8))
        {
            case 0:
                _transaction?.Dispose();
                break;
            case 1:
                connection.Close();
                break;
            case 2:
                _transaction?.Commit();
                break;
            case var kind:
                var lease = new StatementExecution(new LogicalCommand("SELECT 1", connection));
                if (kind % 2 == 0)
                {
                    StatementRunner.Begin(lease, LeaseScope.Command, OperationKind.Scalar);
                }
                else
                {
                    StatementRunner.BeginAsync(lease, LeaseScope.Command, OperationKind.Scalar, shared: null, CancellationToken.None).AsTask().GetAwaiter().GetResult();
                }

                Run(lease);
                break;
        }
    }

    private void Run(StatementExecution lease)
    {
        if (lease.HasEntered && Interlocked.Increment(ref _inside) != 1)
        {
            Interlocked.CompareExchange(ref _mistake, new InvalidOperationException("Two operations hold the gate."), null);
        }

        if (lease.HasEntered)
        {
            Interlocked.Decrement(ref _inside);
        }

        lease.End();
    }
}
