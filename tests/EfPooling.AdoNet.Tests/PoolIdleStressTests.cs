using System.Collections.Concurrent;

namespace EfPooling.AdoNet.Tests;

/// <summary>
/// Threads find, use, keep and forget pools of a few keys while time passes and the garbage collector runs: pools rest, go and come again at every moment. Whoever uses a pool
/// at the same time as others of its key uses the same one.
/// </summary>
public sealed class PoolIdleStressTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const int Keys = 3;
    private const int Steps = 100;
    private const int MaxPoolSize = 2;

    private readonly ManualTimeProvider _time = new();
    private readonly PoolDirectory<int, TransactionPoolingDataSource> _pools = new();
    private readonly ConcurrentDictionary<int, int> _created = new();
    private readonly UsersOfKey[] _users = [.. Enumerable.Range(0, Keys).Select(_ => new UsersOfKey())];

    public static TheoryData<int> Seeds => [1, Random.Shared.Next()];

    [Theory, MemberData(nameof(Seeds), DisableDiscoveryEnumeration = true)]
    public async Task PoolsOfAKey_AreNeverUsedSideBySide(int seed)
    {
        try
        {
            var callers = Enumerable.Range(0, 4).Select(i => Task.Run(() => CallAsync(new Random(seed + i)))).ToArray();
            var callersEnd = Task.WhenAll(callers);
            var random = new Random(-seed);
            while (!callersEnd.IsCompleted)
            {
                _time.Advance(TimeSpan.FromSeconds(random.Next(1, 60)));
                if (random.Next(20) == 0)
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                }

                await Task.Yield();
            }

            await callersEnd;
        }
        catch (Exception error) when (error is not Xunit.Sdk.XunitException)
        {
            Assert.Fail($"Seed {seed}: {error}");
        }

        Assert.True(_created.Values.Sum() > Keys, "No pool has ever gone, so the test shows nothing.");
        foreach (var pool in _pools.Existing)
        {
            await pool.DisposeAsync();
        }
    }

    private async Task CallAsync(Random random)
    {
        LogicalConnection? kept = null;
        var keptKey = 0;
        for (var step = 0; step < Steps; step++)
        {
            var key = kept is null ? random.Next(Keys) : keptKey;
            var connection = kept ?? Get(key).CreateConnection();
            kept = null;
            await UseAsync(key, connection, random);
            if (random.Next(3) == 0)
            {
                (kept, keptKey) = (connection, key); // Goes on with its pool, perhaps after that was let go.
            }

            if (random.Next(4) == 0)
            {
                _time.Advance(TimeSpan.FromSeconds(random.Next(120)));
            }
        }
    }

    private async Task UseAsync(int key, LogicalConnection connection, Random random)
    {
        await connection.OpenAsync();
        _users[key].Enter(connection.Pool!);
        try
        {
            if (random.Next(2) == 0)
            {
                await using var transaction = await connection.BeginTransactionAsync();
                await connection.RunAsync("SELECT 1");
                await transaction.CommitAsync();
            }
            else
            {
                await connection.RunAsync("SELECT 1");
            }
        }
        finally
        {
            _users[key].Leave();
            await connection.CloseAsync();
        }
    }

    private TransactionPoolingDataSource Get(int key)
        => _pools.GetOrCreate(key, () =>
        {
            _created.AddOrUpdate(key, 1, static (_, count) => count + 1);
            return new TransactionPoolingDataSourceBuilder($"{ConnectionString};Application Name=idle stress {key}").UseTimeProvider(_time)
                .ConfigureOptions(options => (options.MaxPoolSize, options.PoolIdleTimeout, options.QueryWaitTimeout, options.Shuffle) = (MaxPoolSize, TimeSpan.FromSeconds(100), TimeSpan.Zero, false))
                .Build();
        });

    private sealed class UsersOfKey
    {
        private readonly Lock _gate = new();
        private TransactionPoolingDataSource? _pool; // guarded by _gate: that somebody uses
        private int _count; // guarded by _gate

        public void Enter(TransactionPoolingDataSource pool)
        {
            lock (_gate)
            {
                Assert.True(_count == 0 || ReferenceEquals(_pool, pool), "Two pools of one key are used at the same time.");
                (_pool, _count) = (pool, _count + 1);
            }
        }

        public void Leave()
        {
            lock (_gate)
            {
                _count--;
                _pool = _count == 0 ? null : _pool;
            }
        }
    }
}
