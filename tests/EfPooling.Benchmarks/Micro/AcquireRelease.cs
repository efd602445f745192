using BenchmarkDotNet.Attributes;
using EfPooling.Core;

namespace EfPooling.Benchmarks.Micro;

/// <summary>Acquire and release of a warm connection on one thread.</summary>
public class AcquireRelease
{
    private ServerConnectionPool<object> _pool = null!;

    [GlobalSetup]
    public void Setup()
    {
        _pool = new ServerConnectionPool<object>(new PoolOptions(), new NoServer());
        _pool.Acquire().Release();
    }

    [GlobalCleanup]
    public ValueTask Cleanup() => _pool.DisposeAsync();

    [Benchmark(Description = "acquire + release, 1 thread, sync")]
    public void Sync() => _pool.Acquire().Release();

    [Benchmark(Description = "acquire + release, 1 thread, async")]
    public async ValueTask Async() => (await _pool.AcquireAsync().ConfigureAwait(false)).Release();
}
