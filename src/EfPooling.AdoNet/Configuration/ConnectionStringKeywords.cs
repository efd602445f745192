using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// What the keywords of an Npgsql connection string mean for a pool, and the connection string of its server connections.
/// </summary>
internal static class ConnectionStringKeywords
{
    private const int DefaultMaxAutoPrepare = 200; // PgBouncer's max_prepared_statements

    /// <exception cref="InvalidPoolOptionsException">A keyword contradicts pooling.</exception>
    public static void RefuseContradictions(NpgsqlConnectionStringBuilder keywords, bool mayBeUnpooled)
    {
        var errors = new List<string>();
        if (!keywords.Pooling && !mayBeUnpooled)
        {
            errors.Add("The connection string says Pooling=false, which contradicts transaction pooling: remove the keyword, or do not use transaction pooling for this connection.");
        }

        if (keywords.Multiplexing)
        {
            errors.Add("The connection string says Multiplexing=true, which contradicts transaction pooling: remove the keyword.");
        }

        if (keywords.Options?.Contains(SqlSetting.StringSyntax, StringComparison.OrdinalIgnoreCase) == true)
        {
            errors.Add($"The connection string's Options change {SqlSetting.StringSyntax}, by which texts are read before they are sent: remove it.");
        }

        if (errors.Count > 0)
        {
            throw new InvalidPoolOptionsException(errors);
        }
    }

    /// <exception cref="InvalidPoolOptionsException">No keyword names the server.</exception>
    public static void RequireHost(NpgsqlConnectionStringBuilder keywords)
    {
        if (string.IsNullOrWhiteSpace(keywords.Host))
        {
            throw new InvalidPoolOptionsException(["The connection string names no server: add Host=..., or set it where Npgsql is configured."]);
        }
    }

    /// <summary>Sets the options for which a keyword is present.</summary>
    public static void Apply(NpgsqlConnectionStringBuilder keywords, TransactionPoolingOptions options)
    {
        var present = keywords.Keys.Cast<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (present.Contains("Maximum Pool Size"))
        {
            options.MaxPoolSize = keywords.MaxPoolSize;
        }

        if (present.Contains("Minimum Pool Size"))
        {
            options.MinPoolSize = keywords.MinPoolSize;
        }

        if (present.Contains("Connection Lifetime"))
        {
            options.ServerLifetime = TimeSpan.FromSeconds(keywords.ConnectionLifetime);
        }

        if (present.Contains("Connection Idle Lifetime"))
        {
            options.ServerIdleTimeout = TimeSpan.FromSeconds(keywords.ConnectionIdleLifetime);
        }

        if (keywords.LoadBalanceHosts)
        {
            options.ServerRoundRobin = true; // The next caller gets another host, as with Npgsql.
            options.MinPoolSize = Math.Max(options.MinPoolSize, Math.Min(CountHosts(keywords), options.MaxPoolSize));
        }

        // Npgsql's Timeout covers waiting for the pool and connecting. Zero means no limit there.
        if (present.Contains("Timeout"))
        {
            options.QueryWaitTimeout = TimeSpan.FromSeconds(keywords.Timeout);
            options.ServerConnectTimeout = keywords.Timeout > 0 ? TimeSpan.FromSeconds(keywords.Timeout) : options.ServerConnectTimeout;
        }
    }

    /// <summary>The connection string without secrets, for display.</summary>
    public static string WithoutPassword(NpgsqlConnectionStringBuilder keywords)
    {
        if (keywords.PersistSecurityInfo)
        {
            return keywords.ConnectionString;
        }

        var shown = new NpgsqlConnectionStringBuilder(keywords.ConnectionString);
        shown.Remove("Password");
        shown.Remove("SSL Password");
        return shown.ConnectionString;
    }

    /// <summary>
    /// The connection string of the server connections: unpooled, because this pool holds them, and with automatic preparation.
    /// </summary>
    public static string ForServerConnections(NpgsqlConnectionStringBuilder keywords, TransactionPoolingOptions options)
    {
        var autoPrepareIsSet = keywords.Keys.Cast<string>().Contains("Max Auto Prepare", StringComparer.OrdinalIgnoreCase);
        return new NpgsqlConnectionStringBuilder(keywords.ConnectionString)
        {
            Pooling = false,
            Enlist = false, // Logical connections enlist, not server connections.
            Timeout = (int)Math.Clamp(Math.Ceiling(options.ServerConnectTimeout.TotalSeconds), 1, 1024),
            MaxAutoPrepare = autoPrepareIsSet ? keywords.MaxAutoPrepare : DefaultMaxAutoPrepare,
        }.ConnectionString;
    }

    /// <summary>How many hosts the connection string names.</summary>
    public static int CountHosts(NpgsqlConnectionStringBuilder keywords) => keywords.Host?.Split(',').Length ?? 0;

    /// <summary>The connection string of plain connections beside the pool.</summary>
    public static string ForUnpooledConnections(NpgsqlConnectionStringBuilder keywords)
        => new NpgsqlConnectionStringBuilder(keywords.ConnectionString) { Pooling = false }.ConnectionString;
}
