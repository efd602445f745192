using EfPooling.AdoNet;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>The parts of a connection string that matter for finding a pool. Immutable.</summary>
internal sealed class ParsedConnectionString
{
    private readonly TransactionPoolingOptions _options = new();

    public ParsedConnectionString(NpgsqlConnectionStringBuilder keywords)
    {
        Normalised = PoolFamily.Normalise(keywords);
        Place = (keywords.Host, keywords.Port, keywords.Database ?? keywords.Username, keywords.Username);
        ConnectionStringKeywords.Apply(keywords, _options);
    }

    /// <summary>Equal for strings with the same meaning. Contains the password: never show it.</summary>
    public string Normalised { get; }

    /// <summary>The database and its user.</summary>
    public (string? Host, int Port, string? Database, string? User) Place { get; }

    /// <summary>The options that a pool would have: the keywords, overridden by <paramref name="configure"/>.</summary>
    public TransactionPoolingOptions GetOptions(Action<TransactionPoolingOptions>? configure)
    {
        var options = _options with { };
        configure?.Invoke(options);
        return options;
    }
}
