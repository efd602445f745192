namespace EfPooling.AdoNet;

/// <summary>
/// A pool under the key by which it is found. Keeps it while it is used; then only knows it, so that the garbage collector takes it once nobody has it. Thread-safe.
/// </summary>
/// <remarks>
/// <i>Never two pools of one key that are both used.</i> An entry creates one pool at most, and a directory has one entry per key. It is replaced when its pool is
/// closed, or when <see cref="_known"/> is empty: then nothing references that pool that could use it. Whoever uses a pool references it, so it is known and found again, whether
/// it was let go before, in the moment in which it was found, or since. So <see cref="LetGo"/> need not exclude <see cref="Find"/>: if they meet, the caller has a pool that
/// is found by others too, and the next look of <see cref="PoolIdleWatch"/> keeps it. What the caller may notice is that its server connection is opened anew.
/// </remarks>
internal sealed class PoolEntry<TPool> : IPoolEntry
    where TPool : class, IKeptPool
{
    private readonly Action<PoolEntry<TPool>> _leave;
    private volatile Lazy<IKeptPool>? _kept; // null: the pool was let go; not of TPool, whose constructor trimming would have to keep
    private volatile WeakReference<TPool>? _known; // written once, when the pool was created

    /// <param name="create">Creates the pool; forgotten then.</param>
    /// <param name="leave">Takes this entry out of its directory, if it is still there.</param>
    public PoolEntry(Func<TPool> create, Action<PoolEntry<TPool>> leave)
    {
        _leave = leave;
        _kept = new Lazy<IKeptPool>(() =>
        {
            var pool = create();
            _known = new WeakReference<TPool>(pool);
            pool.LeaveWhenUnused(this);
            return pool;
        });
    }

    /// <summary>The pool, if it was created and is not gone.</summary>
    public TPool? Existing => _known is { } known && known.TryGetTarget(out var pool) ? pool : null;

    /// <summary>The pool, created by the first call, and kept from now on.</summary>
    /// <returns><c>null</c>: it is closed, or gone. The entry is of no more use.</returns>
    public TPool? Find()
    {
        var kept = _kept;
        TPool? pool;
        try
        {
            pool = kept is null ? Existing : (TPool)kept.Value;
        }
        catch
        {
            Leave(); // A mistake is not worth remembering.
            throw;
        }

        if (pool is null || pool.IsClosed)
        {
            return null;
        }

        pool.IdleWatch?.OnFound();
        if (kept is null)
        {
            Keep(pool);
        }

        return pool;
    }

    void IPoolEntry.Keep(IKeptPool pool) => Keep((TPool)pool);

    private void Keep(TPool pool) => _kept ??= new Lazy<IKeptPool>(pool);

    /// <inheritdoc/>
    public bool LetGo()
    {
        var wasKept = _kept is not null;
        _kept = null;
        return wasKept;
    }

    /// <inheritdoc/>
    public void Leave() => _leave(this);
}
