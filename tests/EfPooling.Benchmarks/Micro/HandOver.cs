using BenchmarkDotNet.Attributes;
using EfPooling.Core;

namespace EfPooling.Benchmarks.Micro;

/// <summary>One connection, one lease out, one caller waiting: release hands the connection over and the caller goes on.</summary>
public class HandOver
{
    private ServerConnectionPool<object> _pool = null!;
    private Lease<object> _lease;

    [GlobalSetup]
    public void Setup()
    {
        _pool = new ServerConnectionPool<object>(new PoolOptions { MaxPoolSize = 1 }, new NoServer());
        _lease = _pool.Acquire();
    }

    [GlobalCleanup]
    public ValueTask Cleanup()
    {
        _lease.Release();
        return _pool.DisposeAsync();
    }

    [Benchmark(Description = "wait + hand-over, async")]
    public async Task Async()
    {
        var waiting = _pool.AcquireAsync();
        _lease.Release();
        _lease = await waiting.ConfigureAwait(false);
    }
}
