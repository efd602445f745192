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
}
