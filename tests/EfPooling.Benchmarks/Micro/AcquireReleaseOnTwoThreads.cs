using BenchmarkDotNet.Attributes;
using EfPooling.Core;

namespace EfPooling.Benchmarks.Micro;

/// <summary>Acquire and release of warm connections on two threads at once. The time is that of one pair, counted over both threads.</summary>
public class AcquireReleaseOnTwoThreads
{
    private const int Pairs = 2_000_000;
    private readonly Barrier _barrier = new(3);
    private readonly Thread[] _threads = new Thread[2];
    private ServerConnectionPool<object> _pool = null!;
    private volatile bool _stop;

    [GlobalSetup]
    public void Setup()
    {
        _pool = new ServerConnectionPool<object>(new PoolOptions { MinPoolSize = 2 }, new NoServer());
        _pool.Acquire().Release();
        foreach (ref var thread in _threads.AsSpan())
        {
            thread = new Thread(Work) { IsBackground = true };
            thread.Start();
        }
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _stop = true;
        _barrier.SignalAndWait();
        foreach (var thread in _threads)
        {
            thread.Join();
        }

        _barrier.Dispose();
    }

    [Benchmark(Description = "acquire + release, 2 threads, sync", OperationsPerInvoke = Pairs)]
    public void Sync()
    {
        _barrier.SignalAndWait();
        _barrier.SignalAndWait();
    }

    private void Work()
    {
        while (true)
        {
            _barrier.SignalAndWait();
            if (_stop)
            {
                return;
            }

            for (var i = 0; i < Pairs / 2; i++)
            {
                _pool.Acquire().Release();
            }

            _barrier.SignalAndWait();
        }
    }
}
