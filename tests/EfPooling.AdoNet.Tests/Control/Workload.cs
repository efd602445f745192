namespace EfPooling.AdoNet.Tests;

/// <summary>
/// Callers who work on a pool until they are stopped: reads that may share round trips, transactions that write, readers and
/// synchronous statements. The first failure ends the test.
/// </summary>
internal sealed class Workload
{
    public const string Table = "DROP TABLE IF EXISTS account; CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL); INSERT INTO account SELECT n, 0 FROM generate_series(1, 50) n";

    private readonly TransactionPoolingDataSource _pool;
    private readonly Task _callers;
    private volatile bool _isStopped;
    private int _done;

    private Workload(TransactionPoolingDataSource pool, int callers)
    {
        _pool = pool;
        _callers = Task.WhenAll(Enumerable.Range(0, callers).Select(i => Task.Run(() => CallAsync(i))));
    }

    /// <summary>How many operations have ended.</summary>
    public int Done => Volatile.Read(ref _done);

    /// <summary>Begins the work; it needs <see cref="Table"/>.</summary>
    public static Workload Start(TransactionPoolingDataSource pool, int callers) => new(pool, callers);

    /// <summary>Waits until that many more operations have ended.</summary>
    public async Task AdvanceAsync(int operations)
    {
        for (var goal = Done + operations; Done < goal;)
        {
            if (_callers.IsCompleted)
            {
                await _callers;
                throw new InvalidOperationException("The callers have ended too early.");
            }

            await Task.Yield();
        }
    }

    /// <summary>Lets every caller end its operation. Throws if one has failed, or the balances are wrong.</summary>
    public async Task StopAsync()
    {
        _isStopped = true;
        await _callers;
        await using var connection = await _pool.OpenConnectionAsync();
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT sum(balance) FROM account"));
    }

    private async Task CallAsync(int caller)
    {
        for (var turn = caller; !_isStopped; turn++)
        {
            await using var connection = await _pool.OpenConnectionAsync();
            var operation = (turn % 4) switch
            {
                0 => MoveAsync(connection, (turn % 50) + 1, ((turn + 7) % 50) + 1),
                1 => ReadAsync(connection),
                _ => AskAsync(connection, turn),
            };
            await operation;
            Interlocked.Increment(ref _done);
        }
    }

    private static async Task AskAsync(LogicalConnection connection, int value)
        => Assert.Equal(value, await connection.AskAsync<int>($"SELECT {value} + balance - balance FROM account WHERE id = {(value % 50) + 1}"));

    private static async Task ReadAsync(LogicalConnection connection)
    {
        await using var reader = await connection.ReadAsync("SELECT id, balance FROM account ORDER BY id");
        for (var id = 1; await reader.ReadAsync(); id++)
        {
            Assert.Equal(id, reader.GetInt32(0));
        }
    }

    private static async Task MoveAsync(LogicalConnection connection, int from, int to)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        foreach (var (id, amount) in new[] { (from, -1), (to, 1) }.OrderBy(step => step.Item1))
        {
            Assert.Equal(1, await connection.RunAsync($"UPDATE account SET balance = balance + {amount} WHERE id = {id}"));
        }

        await transaction.CommitAsync();
    }
}
