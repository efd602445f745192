namespace EfPooling.AdoNet;

/// <summary>
/// A pool under its key. Keeps the pool while it is used, and then only a weak reference, so that the garbage collector takes it
/// with its last other reference. Thread-safe.
/// </summary>
/// <remarks>
/// <i>Never two pools of one key that are both used.</i> An entry creates one pool at most, and a directory has one entry per
/// key. The entry is replaced when its pool is closed, or when <see cref="_known"/> is empty: then no reference exists through
/// which that pool could be used. Every user of a pool references it, so it is known and found again, whether it was let go
/// before, at the moment of the find, or since. So <see cref="LetGo"/> need not exclude <see cref="Find"/>: if they meet, the
/// caller has a pool that other callers find too, and the next look of <see cref="PoolIdleWatch"/> keeps it. The caller may only
/// notice that its server connection is opened anew.
/// </remarks>
internal sealed class PoolEntry<TPool> : IPoolEntry
    where TPool : class, IKeptPool
{
    private readonly Action<PoolEntry<TPool>> _leave;
    private volatile Lazy<IKeptPool>? _kept; // null: the pool was let go. Not of TPool, whose constructor trimming would have to keep
    private volatile WeakReference<TPool>? _known; // written once, when the pool was created

    /// <param name="create">Creates the pool; not kept afterwards.</param>
    /// <param name="leave">Removes this entry from its directory, if it is still there.</param>
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

    /// <summary>The pool, if it was created and still exists.</summary>
    public TPool? Existing => _known is { } known && known.TryGetTarget(out var pool) ? pool : null;

    /// <summary>The pool, created by the first call, and kept from now on.</summary>
    /// <returns><c>null</c>: the pool is closed or gone, and the entry is useless.</returns>
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
            Leave(); // A failed creation must not be remembered.
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
