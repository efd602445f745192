using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using EfPooling.AdoNet;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// The pools that contexts have created on data sources of the application: one per data source and options, as long as the data source is neither
/// disposed nor forgotten. Thread-safe.
/// </summary>
internal static class SourcePools
{
    // A pool references its data source. Here, and only here, that does not keep the data source alive.
    private static readonly ConditionalWeakTable<NpgsqlDataSource, ConcurrentDictionary<TransactionPoolingOptions, Lazy<TransactionPoolingDataSource>>> Pools = [];

    /// <summary>The pool of a data source, created if need be, and anew if somebody has closed it.</summary>
    /// <exception cref="ObjectDisposedException">The data source was disposed.</exception>
    public static TransactionPoolingDataSource GetOrCreate(NpgsqlDataSource source, TransactionPoolingOptions options, Func<TransactionPoolingDataSource> create)
    {
        ObjectDisposedException.ThrowIf(NpgsqlInternals.IsDisposed(source), source);
        var pools = Pools.GetOrCreateValue(source);
        while (true)
        {
            if (!pools.TryGetValue(options, out var lazy))
            {
                CloseThoseOfDisposedSources(); // Whoever makes one data source after another has no more pools than data sources.
                lazy = pools.GetOrAdd(options, static (_, create) => new Lazy<TransactionPoolingDataSource>(create), create);
            }

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
                pools.TryRemove(KeyValuePair.Create(options, lazy)); // A mistake is not worth remembering.
                throw;
            }

            pools.TryRemove(KeyValuePair.Create(options, lazy));
        }
    }

    private static void CloseThoseOfDisposedSources()
    {
        foreach (var (source, pools) in Pools)
        {
            if (NpgsqlInternals.IsDisposed(source))
            {
                Pools.Remove(source);
                foreach (var lazy in pools.Values.Where(lazy => lazy.IsValueCreated))
                {
                    lazy.Value.CloseIfSourceIsDisposed();
                }
            }
        }
    }
}
