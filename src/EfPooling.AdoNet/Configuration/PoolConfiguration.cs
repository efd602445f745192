using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>What the pools of one family have in common, whatever their connection string.</summary>
internal sealed record PoolConfiguration
{
    public Action<TransactionPoolingOptions>? ConfigureOptions { get; init; }

    public Action<NpgsqlDataSourceBuilder>? ConfigureNpgsql { get; init; }

    /// <summary>If set, it opens the server connections instead of a data source of our own.</summary>
    public NpgsqlDataSource? ExistingDataSource { get; init; }

    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary><c>null</c>: the system's time.</summary>
    public TimeProvider? Time { get; init; }

    /// <summary>The defaults, overridden by the connection string's keywords, overridden by the user's settings.</summary>
    public TransactionPoolingOptions GetOptions(NpgsqlConnectionStringBuilder keywords)
    {
        var options = new TransactionPoolingOptions();
        ConnectionStringKeywords.Apply(keywords, options);
        ConfigureOptions?.Invoke(options);
        return options;
    }
}
