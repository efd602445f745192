using System.Collections.Concurrent;

namespace EfPooling.AdoNet;

/// <summary>
/// Pools by the key whose callers share one. The first caller creates a pool. It is kept while it is used and for
/// <see cref="TransactionPoolingOptions.PoolIdleTimeout"/> after that. It is found for as long as it is referenced. Thread-safe.
/// </summary>
internal sealed class PoolDirectory<TKey, TPool>
    where TKey : notnull
    where TPool : class, IKeptPool
{
    private readonly ConcurrentDictionary<TKey, PoolEntry<TPool>> _entries = new();

    /// <summary>The pools that were created and still exist. Each may be closed at any time.</summary>
    public IEnumerable<TPool> Existing => _entries.Values.Select(static entry => entry.Existing).OfType<TPool>();

    /// <summary>How many keys there are.</summary>
    public int Count => _entries.Count;

    /// <summary>The pool of a key; created if it does not exist or was closed.</summary>
    public TPool GetOrCreate(TKey key, Func<TPool> create)
    {
        while (true)
        {
            var entry = _entries.GetOrAdd(key, static (key, call) => call.Self.NewEntry(key, call.Create), (Self: this, Create: create));
            if (entry.Find() is { } pool)
            {
                return pool;
            }

            entry.Leave();
        }
    }

    /// <summary>Removes and returns every pool that has been created. A pool that is still being created stays.</summary>
    public List<TPool> TakeAll()
    {
        var taken = new List<TPool>();
        foreach (var (key, entry) in _entries)
        {
            if (entry.Existing is { } pool && _entries.TryRemove(KeyValuePair.Create(key, entry)))
            {
                taken.Add(pool);
            }
        }

        return taken;
    }

    // An entry's references live as long as its pool, so it must reference nothing of the caller's.
    private PoolEntry<TPool> NewEntry(TKey key, Func<TPool> create)
        => new(create, entry => _entries.TryRemove(KeyValuePair.Create(key, entry)));
}
