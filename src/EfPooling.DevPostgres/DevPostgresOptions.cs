namespace EfPooling.Dev;

/// <summary>What kind of server <see cref="DevPostgres.StartAsync(DevPostgresOptions?, CancellationToken)"/> gives.</summary>
/// <remarks>
/// A server that <c>EFPOOLING_POSTGRES</c> names runs already: <see cref="MaxConnections"/> and <see cref="Settings"/>
/// do not apply to it.
/// </remarks>
public sealed class DevPostgresOptions
{
    /// <summary>The major version that the server must have.</summary>
    /// <value>Default null: whatever is found first. A way that has only other versions is passed over.</value>
    public int? MajorVersion { get; set; }

    /// <summary>Most connections the server accepts (PostgreSQL <c>max_connections</c>, superuser's reserve included).</summary>
    /// <value>Default 100.</value>
    public int MaxConnections { get; set; } = 100;

    /// <summary>The database that <see cref="DevPostgresServer.ConnectionString"/> names; created if it is not the server's own.</summary>
    /// <value>Default null: <c>postgres</c>, or what <c>EFPOOLING_POSTGRES</c> names.</value>
    public string? DatabaseName { get; set; }

    /// <summary>Server settings by name, as for <c>postgres -c name=value</c>.</summary>
    /// <value>By default durability is off, because nobody keeps the data. Address and port are not settable.</value>
    public IDictionary<string, string> Settings { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["fsync"] = "off",
        ["synchronous_commit"] = "off",
        ["full_page_writes"] = "off",
    };

    /// <summary>Longest time to wait until a started server accepts connections.</summary>
    /// <value>Default 60 s.</value>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The clock behind every deadline and poll here.</summary>
    /// <value>Default <see cref="TimeProvider.System"/>.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
