using EfPooling.AdoNet;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>The pools that contexts have created for themselves: one per key, as long as it is used. Thread-safe.</summary>
internal static class PoolRegistry
{
    private static readonly PoolDirectory<PoolKey> Pools = new();

    /// <summary>The pool of a key, created if need be, and anew if somebody has closed it.</summary>
    public static TransactionPoolingDataSource GetOrCreate(PoolKey key, Func<TransactionPoolingDataSource> create) => Pools.GetOrCreate(key, create);

    /// <summary>Makes every pool to a database replace its server connections: that database is to be dropped, which ends their sessions.</summary>
    public static void Clear(string server, string database)
    {
        foreach (var pool in Pools.Existing)
        {
            if (!pool.IsClosed && pool.Server == server && pool.Database == database)
            {
                pool.Clear();
            }
        }
    }
}
