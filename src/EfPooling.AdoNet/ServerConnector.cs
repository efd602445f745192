using System.Data;
using EfPooling.AdoNet.Sql;
using EfPooling.Core;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>Opens, checks and closes PostgreSQL connections through an <see cref="NpgsqlDataSource"/>.</summary>
/// <param name="source">Opens the connections.</param>
/// <param name="sourceIsPooled">
/// The source was built by the user with a pool of its own: a connection that is closed would live on there, unless that pool is cleared first.
/// </param>
/// <param name="upkeep">How the connections are looked after.</param>
/// <param name="logger">Told about failures that nobody else sees.</param>
internal sealed class ServerConnector(NpgsqlDataSource source, bool sourceIsPooled, ServerUpkeep upkeep, ILogger logger) : IServerConnector<ServerConnection>
{
    private readonly Lock _catalogGate = new();
    private string? _serverVersion; // written once
    private bool _isCatalogRefused; // guarded by _catalogGate
    private SqlCatalog? _catalog; // written under _catalogGate and by Reload; immutable itself

    /// <summary>As the server reported it at the first login; <c>null</c> before.</summary>
    public string? ServerVersion => Volatile.Read(ref _serverVersion);

    public Task<ServerConnection> OpenAsync(CancellationToken cancellationToken)
        => OpenThread.Run(() =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            var connection = source.OpenConnection();
            try
            {
                Volatile.Write(ref _serverVersion, connection.ServerVersion);
                LoadCatalogOnce(connection);
                return new ServerConnection(connection, upkeep);
            }
            catch
            {
                connection.Dispose();
                throw;
            }
        });

    /// <summary>What the database says about functions and views; <c>null</c> before the first connection, or if it could not be read.</summary>
    public SqlCatalog? Catalog => Volatile.Read(ref _catalog);

    /// <summary>Reads the catalog again, after the schema has changed.</summary>
    public void ReloadCatalog(NpgsqlConnection connection) => Volatile.Write(ref _catalog, SqlCatalog.Load(connection));

    /// <inheritdoc cref="ReloadCatalog"/>
    public async Task ReloadCatalogAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
        => Volatile.Write(ref _catalog, await SqlCatalog.LoadAsync(connection, cancellationToken).ConfigureAwait(false));

    public bool IsAlive(ServerConnection connection)
    {
        try
        {
            connection.Ping();
            return connection.IsReady;
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or InvalidOperationException)
        {
            Log.CheckFailed(logger, e);
            return false;
        }
    }

    public async ValueTask<bool> IsAliveAsync(ServerConnection connection)
    {
        try
        {
            await connection.PingAsync().ConfigureAwait(false);
            return connection.IsReady;
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or InvalidOperationException)
        {
            Log.CheckFailed(logger, e);
            return false;
        }
    }

    public void Close(ServerConnection connection)
    {
        try
        {
            if (sourceIsPooled)
            {
                source.Clear();
            }

            connection.Npgsql.Dispose();
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or InvalidOperationException)
        {
            Log.CloseFailed(logger, e);
        }
    }

    // With the first connection, on its own thread, so that no statement waits for it.
    private void LoadCatalogOnce(NpgsqlConnection connection)
    {
        lock (_catalogGate)
        {
            if (_catalog is not null || _isCatalogRefused)
            {
                return;
            }

            try
            {
                ReloadCatalog(connection);
            }
            catch (PostgresException e) when (connection.FullState == ConnectionState.Open)
            {
                // Not PostgreSQL, or a role that may not read its catalog: what texts say by themselves must do. Anything else may pass.
                _isCatalogRefused = e.SqlState.StartsWith("42", StringComparison.Ordinal) || e.SqlState == PostgresErrorCodes.FeatureNotSupported;
                Log.CatalogRefused(logger, e);
            }
        }
    }
}
