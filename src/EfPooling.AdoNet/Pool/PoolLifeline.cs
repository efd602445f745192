using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Closes a pool that has outlived its purpose: the data source that it was made from was disposed, or nobody references the pool any more. Without
/// it, a test suite that makes and forgets pools would use up the server's connections.
/// </summary>
internal sealed class PoolLifeline : IDisposable
{
    /// <summary>How often a data source is looked at: it does not tell when it is disposed.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly IKeptPool _pool;
    private readonly WeakTimer<PoolLifeline>? _timer;

    /// <param name="pool">Complete: it may be closed at once.</param>
    /// <param name="source">That the pool was made from, if it is the user's.</param>
    /// <param name="time">The pool's.</param>
    public PoolLifeline(IKeptPool pool, NpgsqlDataSource? source, TimeProvider time)
    {
        _pool = pool;
        _timer = source is null || !NpgsqlInternals.CanTellDisposed ? null : new WeakTimer<PoolLifeline>(time, Period, this, static self => self._pool.CloseIfSourceIsDisposed());
    }

    /// <summary>Nobody references the pool: neither the application, nor a connection, nor anything that runs.</summary>
    ~PoolLifeline()
    {
        _timer?.Dispose();
        ThreadPool.UnsafeQueueUserWorkItem(static pool => pool.CloseForgotten(), _pool, preferLocal: false); // A finalizer must not wait for a server.
    }

    /// <summary>The pool was closed.</summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _timer?.Dispose();
    }
}
