using System.Collections.Concurrent;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Pools that share a configuration, one per connection string: what setting <c>ConnectionString</c> or <c>ChangeDatabase</c> selects from. Thread-safe.
/// </summary>
internal sealed class PoolFamily(PoolConfiguration configuration)
{
    private readonly ConcurrentDictionary<string, Lazy<TransactionPoolingDataSource>> _pools = new();
    private TransactionPoolingDataSource? _root; // written once; null if the family's pools are all equal
    private volatile bool _isClosed; // written before the pools are closed, read after one was added

    public PoolConfiguration Configuration => configuration;

    /// <summary>The pool from which the others of this family will be reached, and with which they will close.</summary>
    /// <param name="connectionString"><c>null</c>: that of the existing data source.</param>
    public TransactionPoolingDataSource CreateRoot(string? connectionString)
        => _root = connectionString is null
            ? new TransactionPoolingDataSource(this, new NpgsqlConnectionStringBuilder(configuration.ExistingDataSource!.ConnectionString))
            : Get(connectionString);

    /// <summary>The pool for a connection string, created if need be. Strings that say the same in another order are the same.</summary>
    public TransactionPoolingDataSource Get(string connectionString)
    {
        var keywords = new NpgsqlConnectionStringBuilder(connectionString);
        if (configuration.ExistingDataSource is not null)
        {
            throw new NotSupportedException("This pool was built on an existing NpgsqlDataSource, which serves one connection string only. Build it from a connection string to use several databases or users.");
        }

        var key = Normalise(keywords);
        var lazy = _pools.GetOrAdd(key, _ => new Lazy<TransactionPoolingDataSource>(() => new TransactionPoolingDataSource(this, keywords)));
        try
        {
            ThrowIfClosed(lazy.Value);
            return lazy.Value;
        }
        catch
        {
            _pools.TryRemove(KeyValuePair.Create(key, lazy)); // A string with a mistake is not worth remembering.
            throw;
        }
    }

    private void ThrowIfClosed(TransactionPoolingDataSource pool)
    {
        if (_isClosed)
        {
            pool.Dispose();
            throw new PoolClosedException(pool.Name);
        }
    }

    /// <summary>A connection string that is equal for strings that say the same in another order or spelling.</summary>
    public static string Normalise(NpgsqlConnectionStringBuilder keywords)
        => string.Join(';', keywords.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));

    /// <summary>The pool for another database with everything else alike.</summary>
    public TransactionPoolingDataSource GetDatabase(TransactionPoolingDataSource pool, string database)
        => Get(new NpgsqlConnectionStringBuilder(pool.ConnectionStringWithPassword) { Database = database }.ConnectionString);

    /// <summary>Forgets a pool that is closing, and closes those that were reached from it, all at the same time.</summary>
    public Task OnClosingAsync(TransactionPoolingDataSource closing, TimeSpan drain)
    {
        if (ReferenceEquals(closing, _root))
        {
            _isClosed = true;
        }

        if (_pools.FirstOrDefault(pool => pool.Value.IsValueCreated && ReferenceEquals(pool.Value.Value, closing)) is { Key: not null } known)
        {
            _pools.TryRemove(known);
        }

        return ReferenceEquals(closing, _root) ? CloseAllAsync(drain) : Task.CompletedTask;
    }

    public Task CloseAllAsync(TimeSpan drain)
    {
        var closing = new List<Task>();
        foreach (var (key, pool) in _pools)
        {
            // One that is still being created is closed by its creator.
            if (pool.IsValueCreated && _pools.TryRemove(KeyValuePair.Create(key, pool)))
            {
                closing.Add(pool.Value.CloseAsync(drain));
            }
        }

        return Task.WhenAll(closing);
    }
}
