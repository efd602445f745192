using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Closes a pool that is no longer needed: its data source was disposed, or the pool is no longer referenced. Without
/// it, a test suite that creates and forgets pools would use up the server's connections.
/// </summary>
internal sealed class PoolLifeline : IDisposable
{
    /// <summary>How often a data source is checked, because it does not report its disposal.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly IKeptPool _pool;
    private readonly WeakTimer<PoolLifeline>? _timer;

    /// <param name="pool">Complete, because it may be closed at once.</param>
    /// <param name="source">The data source of the pool, if it is the user's.</param>
    /// <param name="time">The pool's clock.</param>
    public PoolLifeline(IKeptPool pool, NpgsqlDataSource? source, TimeProvider time)
    {
        _pool = pool;
        _timer = source is null || !NpgsqlInternals.CanTellDisposed ? null : new WeakTimer<PoolLifeline>(time, Period, this, static self => self._pool.CloseIfSourceIsDisposed());
    }

    /// <summary>The pool has no reference left: from the application, a connection, or running work.</summary>
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
