using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Pools that share a configuration, one per connection string. Setting <c>ConnectionString</c> or calling <c>ChangeDatabase</c>
/// selects one of them. Thread-safe.
/// </summary>
internal sealed class PoolFamily(PoolConfiguration configuration)
{
    private readonly PoolDirectory<string, TransactionPoolingDataSource> _pools = new(); // all but the root
    private TransactionPoolingDataSource? _root; // written once; null if the family's pools are all equal
    private string? _rootKey; // written once, before _root
    private volatile bool _isClosed; // written before the pools are closed, read after one was added

    public PoolConfiguration Configuration => configuration;

    /// <summary>The pool from which the others of this family are reached, and with which they close.</summary>
    /// <param name="connectionString"><c>null</c>: the one of the existing data source.</param>
    public TransactionPoolingDataSource CreateRoot(string? connectionString)
    {
        var keywords = new NpgsqlConnectionStringBuilder(connectionString ?? configuration.ExistingDataSource!.ConnectionString);
        _rootKey = Normalise(keywords);
        return _root = Create(keywords);
    }

    /// <summary>
    /// The pool for a connection string, created if it does not exist. Strings with the same meaning in another order are the
    /// same.
    /// </summary>
    public TransactionPoolingDataSource Get(string connectionString)
    {
        var keywords = new NpgsqlConnectionStringBuilder(connectionString);
        if (configuration.ExistingDataSource is not null)
        {
            throw new NotSupportedException("This pool was built on an existing NpgsqlDataSource, which serves one connection string only. Build it from a connection string to use several databases or users.");
        }

        var key = Normalise(keywords);
        var pool = key == _rootKey ? _root! : _pools.GetOrCreate(key, () => Create(keywords));
        ThrowIfClosed(pool);
        return pool;
    }

    private TransactionPoolingDataSource Create(NpgsqlConnectionStringBuilder keywords) => new(this, keywords);

    private void ThrowIfClosed(TransactionPoolingDataSource pool)
    {
        if (_isClosed)
        {
            if (!ReferenceEquals(pool, _root)) // The root closes by itself, and may be draining.
            {
                pool.Dispose();
            }

            throw new PoolClosedException(pool.Name);
        }
    }

    /// <summary>A connection string that is equal for strings with the same meaning in another order or spelling.</summary>
    public static string Normalise(NpgsqlConnectionStringBuilder keywords)
        => string.Join(';', keywords.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value}"));

    /// <summary>The pool for another database, with otherwise the same settings.</summary>
    public TransactionPoolingDataSource GetDatabase(TransactionPoolingDataSource pool, string database)
        => Get(new NpgsqlConnectionStringBuilder(pool.ConnectionStringWithPassword) { Database = database }.ConnectionString);

    /// <summary>Closes, all at the same time, the pools that were reached from a closing one.</summary>
    public Task OnClosingAsync(TransactionPoolingDataSource closing, TimeSpan drain)
    {
        if (!ReferenceEquals(closing, _root))
        {
            return Task.CompletedTask;
        }

        _isClosed = true;
        return CloseAllAsync(drain);
    }

    /// <summary>
    /// Closes every pool except the root. A pool that is still being created is closed by its creator if the root has closed.
    /// </summary>
    public Task CloseAllAsync(TimeSpan drain) => Task.WhenAll(_pools.TakeAll().Select(pool => pool.CloseAsync(drain)));
}
