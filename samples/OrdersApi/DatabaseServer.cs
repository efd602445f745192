using EfPooling.Dev;

namespace OrdersApi;

/// <summary>The PostgreSQL server behind the API: the configured one, or a throw-away that lives as long as this object.</summary>
internal sealed class DatabaseServer : IAsyncDisposable
{
    private readonly DevPostgresServer? _throwAway;

    private DatabaseServer(string connectionString, string ownersConnectionString, DevPostgresServer? throwAway)
        => (ConnectionString, OwnersConnectionString, _throwAway) = (connectionString, ownersConnectionString, throwAway);

    /// <summary>For requests. Its role may be <c>orders_app</c> itself, or one that may become it, as the owner may.</summary>
    public string ConnectionString { get; }

    /// <summary>For migrations.</summary>
    public string OwnersConnectionString { get; }

    /// <summary>Uses the connection string <c>Orders</c> if there is one, and <c>OrdersOwner</c> for migrations if there is that too.</summary>
    public static async Task<DatabaseServer> StartAsync(IConfiguration configuration)
    {
        if (configuration.GetConnectionString("Orders") is { Length: > 0 } configured)
        {
            return new DatabaseServer(configured, configuration.GetConnectionString("OrdersOwner") ?? configured, null);
        }

        var throwAway = await DevPostgres.StartAsync(new DevPostgresOptions { DatabaseName = "orders" });
        return new DatabaseServer(throwAway.ConnectionString, throwAway.ConnectionString, throwAway);
    }

    /// <summary>Tells the operator that the data will not stay.</summary>
    public void Announce(ILogger logger)
    {
        if (_throwAway is not null)
        {
            Log.ThrowAwayServerStarted(logger, _throwAway.MajorVersion, _throwAway.Host, _throwAway.Port);
        }
    }

    public ValueTask DisposeAsync() => _throwAway?.DisposeAsync() ?? ValueTask.CompletedTask;
}
