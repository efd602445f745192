using System.Collections.Concurrent;
using EfPooling.AdoNet;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>The pools that contexts have created for themselves: one per key, for the life of the process. Thread-safe.</summary>
internal static class PoolRegistry
{
    private static readonly ConcurrentDictionary<PoolKey, Lazy<TransactionPoolingDataSource>> Pools = new();

    /// <summary>The pool of a key, created if need be, and anew if somebody has closed it.</summary>
    public static TransactionPoolingDataSource GetOrCreate(PoolKey key, Func<TransactionPoolingDataSource> create)
    {
        while (true)
        {
            var lazy = Pools.GetOrAdd(key, static (_, create) => new Lazy<TransactionPoolingDataSource>(create), create);
            try
            {
                var pool = lazy.Value;
                if (!pool.IsClosed)
                {
                    return pool;
                }
            }
            catch
            {
                Pools.TryRemove(KeyValuePair.Create(key, lazy)); // A mistake is not worth remembering.
                throw;
            }

            Pools.TryRemove(KeyValuePair.Create(key, lazy));
        }
    }

    /// <summary>Makes every pool to a database replace its server connections: that database is to be dropped, which ends their sessions.</summary>
    public static void Clear(string server, string database)
    {
        foreach (var lazy in Pools.Values.Where(lazy => lazy.IsValueCreated))
        {
            if (lazy.Value is { IsClosed: false } pool && pool.Server == server && pool.Database == database)
            {
                pool.Clear();
            }
        }
    }
}
