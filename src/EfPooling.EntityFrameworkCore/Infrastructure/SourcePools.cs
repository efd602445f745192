using System.Runtime.CompilerServices;
using EfPooling.AdoNet;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// The pools that contexts have created on data sources of the application: one per data source and options, as long as it is
/// used and the data source is neither disposed nor collected. Thread-safe.
/// </summary>
internal static class SourcePools
{
    // A pool references its data source. Only this reference does not keep the data source alive.
    private static readonly ConditionalWeakTable<NpgsqlDataSource, PoolDirectory<TransactionPoolingOptions, TransactionPoolingDataSource>> Pools = [];

    /// <summary>The pool of a data source; created if it does not exist or was closed.</summary>
    /// <exception cref="ObjectDisposedException">The data source was disposed.</exception>
    public static TransactionPoolingDataSource GetOrCreate(NpgsqlDataSource source, TransactionPoolingOptions options, Func<TransactionPoolingDataSource> create)
    {
        ObjectDisposedException.ThrowIf(NpgsqlInternals.IsDisposed(source), source);
        return Pools.GetOrCreateValue(source).GetOrCreate(options, create);
    }

    /// <summary>
    /// To be called when another pool is created, so that an application that creates data sources repeatedly has no more pools
    /// than data sources.
    /// </summary>
    public static void CloseThoseOfDisposedSources()
    {
        foreach (var (source, pools) in Pools)
        {
            if (NpgsqlInternals.IsDisposed(source))
            {
                Pools.Remove(source);
                foreach (var pool in pools.Existing)
                {
                    ((IKeptPool)pool).CloseIfSourceIsDisposed();
                }
            }
        }
    }
}
