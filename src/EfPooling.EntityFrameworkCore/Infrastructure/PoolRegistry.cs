using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>The pools that contexts have created for themselves: one per key, as long as it is used. Thread-safe.</summary>
internal static class PoolRegistry
{
    private static readonly PoolDirectory<PoolKey, TransactionPoolingDataSource> Pools = new();

    /// <summary>The pool of a key, created if need be, and anew if somebody has closed it.</summary>
    public static TransactionPoolingDataSource GetOrCreate(PoolKey key, Func<TransactionPoolingDataSource> create) => Pools.GetOrCreate(key, create);

    /// <summary>
    /// Makes every pool to a context's database replace its server connections: that database is to be dropped, which ends the sessions of whoever is connected. The provider
    /// makes Npgsql's pools forget theirs before; but it is not given the connection string here, which is when it does.
    /// </summary>
    /// <param name="connection">The context's.</param>
    /// <param name="isDropped">It is dropped already: a pool that keeps connections ready has opened new ones in between. Npgsql's pools are left alone then, as the provider leaves them.</param>
    public static void LetGo(IRelationalConnection connection, bool isDropped)
    {
        if (connection.DbConnection is not LogicalConnection { Pool: { } own })
        {
            return;
        }

        own.Clear();
        foreach (var pool in Pools.Existing)
        {
            if (!pool.IsClosed && pool.Server == own.Server && pool.Database == own.Database)
            {
                pool.Clear();
            }
        }

        if (own.OwnsConnections && !isDropped)
        {
            NpgsqlConnection.ClearAllPools();
        }
    }
}
