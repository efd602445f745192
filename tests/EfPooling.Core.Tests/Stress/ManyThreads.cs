using EfPooling.Core.Tests.Harness;

namespace EfPooling.Core.Tests.Stress;

/// <summary>Threads and tasks that acquire, use and release in real time, and give up at random moments.</summary>
internal sealed class ManyThreads : IAsyncDisposable
{
    private const int Rounds = 1_500;
    private const int Threads = 3;
    private const int Tasks = 12;
    private readonly int _seed;
    private readonly StressConnector _connector;
    private readonly PoolOptions _options;
    private readonly ServerConnectionPool<StressConnection> _pool;
    private int _granted;
    private int _timedOut;

    public ManyThreads(int seed)
    {
        _seed = seed;
        _connector = new StressConnector(seed);
        _options = new PoolOptions
        {
            MaxPoolSize = 4,
            ReservePoolSize = 2,
            MinPoolSize = 1,
            ReservePoolTimeout = TimeSpan.FromMilliseconds(2),
            ServerLifetime = TimeSpan.FromMilliseconds(40),
            ServerIdleTimeout = TimeSpan.FromMilliseconds(300),
            ServerCheckDelay = TimeSpan.FromMilliseconds(1),
            ServerLoginRetry = TimeSpan.FromMilliseconds(2),
            QueryWaitTimeout = TimeSpan.FromMilliseconds(10),
        };
        _pool = new ServerConnectionPool<StressConnection>(_options, _connector);
    }

    public async Task Run()
    {
        var threads = Enumerable.Range(0, Threads).Select(n => DedicatedThread.Run(() => CallSynchronously(new Random((_seed * 100) + n))));
        var tasks = Enumerable.Range(Threads, Tasks).Select(n => Task.Run(() => CallAsynchronously(new Random((_seed * 100) + n))));
        await Task.WhenAll([.. threads, .. tasks]);

        while (_pool.GetSnapshot().InUse > 0)
        {
            await Task.Yield(); // Checks for which nobody waits any more end by themselves.
        }

        _pool.VerifyInvariants();
        var snapshot = _pool.GetSnapshot();
        Assert.Equal((0, 0), (snapshot.InUse, snapshot.Waiting));
        Assert.InRange(snapshot.LeasesGranted, _granted, _granted + _connector.Checks); // A check has a lease, which it may keep to itself.
        Assert.Equal(_timedOut, snapshot.WaitTimeouts);
        Assert.InRange(_connector.MostOpen, 1, _options.MaxPoolSize + _options.ReservePoolSize);

        Assert.True(await _pool.CloseAsync(Timeout.InfiniteTimeSpan));
        while (_pool.GetSnapshot().Free < _options.MaxPoolSize + _options.ReservePoolSize)
        {
            await Task.Yield(); // Opens that were under way end by themselves.
        }

        snapshot = _pool.GetSnapshot();
        Assert.Equal(snapshot.Opened, _connector.All.Count);
        Assert.Equal(snapshot.Opened, snapshot.Retired.Values.Sum());
        Assert.Equal(snapshot.OpenFailures, _connector.Failures);
        Assert.All(_connector.All, connection => Assert.Equal(1, connection.TimesClosed));
    }

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private void CallSynchronously(Random random)
    {
        for (var round = 0; round < Rounds; round++)
        {
            using var cancellation = new CancellationTokenSource();
            CancelSometimes(cancellation, random);
            try
            {
                var lease = _pool.Acquire(null, cancellation.Token);
                lease.Connection.BeginUse();
                Thread.SpinWait(random.Next(2_000));
                End(lease, random);
            }
            catch (Exception error) when (IsExpected(error))
            {
            }
        }
    }

    private async Task CallAsynchronously(Random random)
    {
        for (var round = 0; round < Rounds; round++)
        {
            using var cancellation = new CancellationTokenSource();
            CancelSometimes(cancellation, random);
            try
            {
                var lease = await _pool.AcquireAsync(null, cancellation.Token);
                lease.Connection.BeginUse();
                if (random.Next(2) == 0)
                {
                    await Task.Yield();
                }

                End(lease, random);
            }
            catch (Exception error) when (IsExpected(error))
            {
            }
        }
    }

    private static void CancelSometimes(CancellationTokenSource cancellation, Random random)
    {
        if (random.Next(4) == 0)
        {
            cancellation.CancelAfter(random.Next(4));
        }
    }

    private void End(Lease<StressConnection> lease, Random random)
    {
        Interlocked.Increment(ref _granted);
        lease.Connection.EndUse();
        if (random.Next(40) == 0)
        {
            lease.Retire(RetireReason.Broken);
        }
        else
        {
            lease.Release();
        }

        switch (random.Next(300))
        {
            case 0:
                _pool.Clear();
                break;
            case < 10:
                Assert.Throws<LeaseEndedException>(lease.Release);
                break;
        }
    }

    private bool IsExpected(Exception error)
    {
        Interlocked.Add(ref _timedOut, error is QueryWaitTimeoutException ? 1 : 0);
        return error is OperationCanceledException or QueryWaitTimeoutException or InvalidOperationException { Message: "open failed" };
    }
}
