using System.Runtime.ExceptionServices;
using EfPooling.Core;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>Opens, checks and closes PostgreSQL connections through an <see cref="NpgsqlDataSource"/>.</summary>
/// <param name="source">Opens the connections.</param>
/// <param name="sourceIsPooled">
/// Whether the user built the source with a pool of its own. A closed connection would live on there, unless that pool is cleared
/// first.
/// </param>
/// <param name="recovery">How the connections are recovered.</param>
/// <param name="time">The pool's clock.</param>
/// <param name="logger">Receives failures that no caller sees.</param>
internal sealed class ServerConnector(NpgsqlDataSource source, bool sourceIsPooled, ServerRecovery recovery, TimeProvider time, ILogger logger) : IServerConnector<ServerConnection>
{
    private static readonly TimeSpan LongestBeforeRetry = TimeSpan.FromSeconds(1);

    private string? _serverVersion; // written once
    private volatile bool _opensAsynchronously; // because the user's callbacks require it; written by any open, never reset

    /// <summary>As the server reported it at the first login; <c>null</c> before.</summary>
    public string? ServerVersion => Volatile.Read(ref _serverVersion);

    public Task<ServerConnection> OpenAsync(CancellationToken cancellationToken)
        => OwnThread.Run(() =>
        {
            var began = time.GetTimestamp();
            try
            {
                return Open(cancellationToken);
            }
            catch (Exception e) when (OpenFailure.IsCutConnection(e) && !NpgsqlInternals.IsDisposed(source) && time.GetElapsedTime(began) < LongestBeforeRetry)
            {
                Log.LoginCut(logger, e);
                return Open(cancellationToken); // One network accident must not fail every caller that waits for this open.
            }
        });

    public Task<bool> IsAliveOnThreadAsync(ServerConnection connection) => OwnThread.Run(() => IsAlive(connection));

    private ServerConnection Open(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var connection = OpenNpgsql(cancellationToken);
        try
        {
            NpgsqlInternals.RenewObjects(connection);
            Volatile.Write(ref _serverVersion, connection.ServerVersion);
            recovery.Catalogs.EnsureLoaded(connection);
            return new ServerConnection(connection, recovery).Opened();
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // This thread may block, whereas asynchronous work needs the thread pool. So the open is synchronous unless the user's
    // callbacks cannot be.
    private NpgsqlConnection OpenNpgsql(CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? refusal = null;
        try
        {
            if (!_opensAsynchronously)
            {
                return source.OpenConnection();
            }
        }
        catch (Exception e) when (OpenFailure.MayWantAsynchronousCallbacks(e))
        {
            refusal = ExceptionDispatchInfo.Capture(e);
            NpgsqlInternals.GetMultiHost(source)?.ClearDatabaseStates(); // Npgsql now considers the hosts offline.
        }

        try
        {
            var connection = source.OpenConnectionAsync(cancellationToken).AsTask().GetAwaiter().GetResult();
            _opensAsynchronously = true;
            return connection;
        }
        catch (Exception e) when (refusal is not null && OpenFailure.LacksAsynchronousCallbacks(e))
        {
            refusal.Throw();
            throw;
        }
    }

    public async Task<bool> IsAliveAsync(ServerConnection connection)
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

    public Task CloseAsync(ServerConnection connection)
    {
        connection.OnClosing();
        try
        {
            return OwnThread.Run(() => Close(connection)); // Saying goodbye is a write to the network, which may block.
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            Close(connection); // No thread can be had, and an open connection must not be lost.
            return Task.CompletedTask;
        }
    }

    private void Close(ServerConnection connection)
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

    private bool IsAlive(ServerConnection connection)
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
}
