using EfPooling.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>Builds a <see cref="TransactionPoolingDataSource"/>. Not thread-safe.</summary>
public sealed class TransactionPoolingDataSourceBuilder
{
    private readonly string? _connectionString;
    private PoolConfiguration _configuration = new();

    /// <summary>Creates a builder of a pool that opens its server connections with <paramref name="connectionString"/>.</summary>
    /// <param name="connectionString">An Npgsql connection string. Its pooling keywords set the options of the same meaning.</param>
    public TransactionPoolingDataSourceBuilder(string connectionString)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(connectionString);
        _connectionString = connectionString;
    }

    /// <summary>Creates a builder of a pool that opens its server connections with an existing data source.</summary>
    /// <param name="dataSource">
    /// Stays yours to dispose, after the pool. Its own settings decide about auto-prepare and the connect time-out. If it has a
    /// pool of its own, that pool must allow as many connections as this one. Other connections that you take from it are closed
    /// after their release once this pool has closed one of its connections.
    /// </param>
    public TransactionPoolingDataSourceBuilder(NpgsqlDataSource dataSource)
    {
        ArgumentNullException.ThrowIfNull(dataSource);
        _configuration = _configuration with { ExistingDataSource = dataSource };
    }

    /// <summary>Sets options, after the connection string's keywords have been applied. Several calls add up.</summary>
    public TransactionPoolingDataSourceBuilder ConfigureOptions(Action<TransactionPoolingOptions> configure)
    {
        _configuration = _configuration with { ConfigureOptions = _configuration.ConfigureOptions + configure };
        return this;
    }

    /// <summary>Configures Npgsql: type mapping, password provider, certificates, tracing. Several calls add up.</summary>
    /// <exception cref="InvalidOperationException">
    /// The builder was given an existing data source, which cannot be configured any more.
    /// </exception>
    public TransactionPoolingDataSourceBuilder ConfigureNpgsql(Action<NpgsqlDataSourceBuilder> configure)
    {
        if (_configuration.ExistingDataSource is not null)
        {
            throw new InvalidOperationException("An existing NpgsqlDataSource cannot be configured any more. Configure it where you build it, or build the pool from a connection string.");
        }

        _configuration = _configuration with { ConfigureNpgsql = _configuration.ConfigureNpgsql + configure };
        return this;
    }

    /// <summary>Sets where the pool and Npgsql log to. Default: nowhere.</summary>
    public TransactionPoolingDataSourceBuilder UseLoggerFactory(ILoggerFactory loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(loggerFactory);
        _configuration = _configuration with { LoggerFactory = loggerFactory };
        return this;
    }

    /// <summary>Sets the pool's source of time. Default: the system's.</summary>
    public TransactionPoolingDataSourceBuilder UseTimeProvider(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _configuration = _configuration with { Time = time };
        return this;
    }

    /// <summary>Builds the data source. Opens nothing.</summary>
    /// <exception cref="InvalidPoolOptionsException">An option is outside its range, or the connection string contradicts pooling.</exception>
    /// <exception cref="ArgumentException">The connection string has a keyword or value that Npgsql does not know.</exception>
    public TransactionPoolingDataSource Build() => new PoolFamily(_configuration).CreateRoot(_connectionString);

    /// <summary>Whether <see cref="UseLoggerFactory"/> was called.</summary>
    internal bool HasLoggerFactory => !ReferenceEquals(_configuration.LoggerFactory, NullLoggerFactory.Instance);
}
