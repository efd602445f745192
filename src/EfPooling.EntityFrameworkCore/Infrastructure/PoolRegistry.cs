using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>The pools that contexts have created for themselves: one per key, as long as it is used. Thread-safe.</summary>
internal static class PoolRegistry
{
    private static readonly PoolDirectory<PoolKey, TransactionPoolingDataSource> Pools = new();

    /// <summary>The pool of a key; created if it does not exist or was closed.</summary>
    public static TransactionPoolingDataSource GetOrCreate(PoolKey key, Func<TransactionPoolingDataSource> create) => Pools.GetOrCreate(key, create);

    /// <summary>
    /// Makes every pool to a context's database replace its server connections, because that database is about to be dropped,
    /// which ends the sessions of all its users. The provider makes Npgsql's pools forget theirs first, but only if it is given
    /// the connection string, which it is not here.
    /// </summary>
    /// <param name="connection">The context's.</param>
    /// <param name="isDropped">
    /// Whether it is dropped already. A pool that keeps connections ready has then opened new ones. Npgsql's pools are left alone
    /// then, as the provider does.
    /// </param>
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
