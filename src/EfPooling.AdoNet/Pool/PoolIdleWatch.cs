using EfPooling.Core;

namespace EfPooling.AdoNet;

/// <summary>
/// Checks periodically whether a pool is used, and lets it go after <see cref="TransactionPoolingOptions.PoolIdleTimeout"/>
/// without use. Lives as long as its pool: a pool that was let go and is used again is kept again.
/// </summary>
/// <remarks>
/// <para>
/// <i>A caller arrives at the moment in which the pool is put at rest.</i> <see cref="IKeptPool.TryRest"/> decides under the
/// pool's gate. Either the caller has a lease or waits, and nothing is closed. Or it arrives later and waits for a connection
/// that is opened for it. Which pool it finds does not depend on that (<see cref="PoolEntry{TPool}"/>).
/// </para>
/// <para>
/// An open, idle connection keeps the pool's server connections, but does not make the entry keep the pool. It references the
/// pool itself. A connection that the application has forgotten to close must not keep the pool for ever.
/// </para>
/// </remarks>
internal sealed class PoolIdleWatch : IDisposable
{
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ShortestPeriod = TimeSpan.FromMilliseconds(250);

    private readonly IKeptPool _pool;
    private readonly IPoolEntry _entry;
    private readonly TimeProvider _time;
    private readonly TimeSpan _timeout;
    private readonly WeakTimer<PoolIdleWatch> _timer;
    private readonly Lock _gate = new(); // held while looking
    private long _opened; // Interlocked only
    private long _closed; // Interlocked only
    private volatile bool _wasFound; // since the last look
    private long _seen = -1; // guarded by _gate: the uses at the last look
    private long _since; // guarded by _gate: when the pool was last seen to be used

    /// <param name="pool">May be used already.</param>
    /// <param name="entry">The entry that keeps it.</param>
    /// <param name="time">The pool's clock.</param>
    public PoolIdleWatch(IKeptPool pool, IPoolEntry entry, TimeProvider time)
    {
        (_pool, _entry, _time, _timeout) = (pool, entry, time, pool.Options.PoolIdleTimeout);
        _since = time.GetTimestamp();
        _timer = new WeakTimer<PoolIdleWatch>(time, PeriodOf(_timeout), this, static self => self.Look());
    }

    /// <summary>How long a use, or the end of the time-out, may go unnoticed.</summary>
    public static TimeSpan PeriodOf(TimeSpan timeout) => TimeSpan.FromTicks(Math.Clamp(timeout.Ticks / 8, ShortestPeriod.Ticks, LongestPeriod.Ticks));

    /// <summary>A connection of the pool is open from now on.</summary>
    public void OnOpened() => Interlocked.Increment(ref _opened);

    /// <summary>A connection of the pool was closed.</summary>
    public void OnClosed() => Interlocked.Increment(ref _closed);

    /// <summary>A caller has found the pool by its key, and is about to use it.</summary>
    public void OnFound()
    {
        if (!_wasFound)
        {
            _wasFound = true;
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        if (!_gate.TryEnter())
        {
            return; // The previous look still closes connections.
        }

        try
        {
            var closed = Interlocked.Read(ref _closed); // Read first: a connection that is opened and closed meanwhile counts as open.
            var opened = Interlocked.Read(ref _opened);
            var isInUse = _pool.IsInUse(out var uses);
            uses += opened + closed;
            if (isInUse || uses != _seen || _wasFound)
            {
                (_seen, _since, _wasFound) = (uses, _time.GetTimestamp(), false);
                _entry.Keep(_pool);
            }
            else if (_time.GetElapsedTime(_since) >= _timeout)
            {
                End(isOpen: opened != closed);
            }
        }
        finally
        {
            _gate.Exit();
        }
    }

    private void End(bool isOpen)
    {
        if (!isOpen && !_pool.TryRest())
        {
            return; // A caller has just arrived.
        }

        if (_entry.LetGo())
        {
            Log.Unused(_pool.Logger, _pool.Name, _timeout);
        }
    }
}
