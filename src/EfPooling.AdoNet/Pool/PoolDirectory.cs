using System.Collections.Concurrent;

namespace EfPooling.AdoNet;

/// <summary>
/// Pools by what makes callers share one. A pool is created by the first caller, kept while it is used and for <see cref="TransactionPoolingOptions.PoolIdleTimeout"/> after
/// that, and found for as long as anybody has it. Thread-safe.
/// </summary>
internal sealed class PoolDirectory<TKey, TPool>
    where TKey : notnull
    where TPool : class, IKeptPool
{
    private readonly ConcurrentDictionary<TKey, PoolEntry<TPool>> _entries = new();

    /// <summary>Those that were created and are not gone. Each may be closed at any time.</summary>
    public IEnumerable<TPool> Existing => _entries.Values.Select(static entry => entry.Existing).OfType<TPool>();

    /// <summary>How many keys there are.</summary>
    public int Count => _entries.Count;

    /// <summary>The pool of a key, created if need be, and anew if somebody has closed it.</summary>
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

    /// <summary>Takes every pool out that has been created. One that is still being created stays.</summary>
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

    // What an entry references stays as long as its pool: nothing of the caller's.
    private PoolEntry<TPool> NewEntry(TKey key, Func<TPool> create)
        => new(create, entry => _entries.TryRemove(KeyValuePair.Create(key, entry)));
}
