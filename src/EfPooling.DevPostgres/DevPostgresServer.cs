using Npgsql;

namespace EfPooling.Dev;

/// <summary>A PostgreSQL server that runs and is thrown away with this object. Thread-safe.</summary>
/// <remarks>Hold a reference as long as the server is needed: an object that nobody holds takes its server along.</remarks>
public sealed class DevPostgresServer : IAsyncDisposable
{
    private readonly Administration _administration;
    private readonly NpgsqlConnectionStringBuilder _connectionString; // never written after construction
    private readonly SemaphoreSlim _control = new(1);
    private bool _disposed; // guarded by _control

    internal DevPostgresServer(
        IServerControl control,
        Administration administration,
        NpgsqlConnectionStringBuilder connectionString,
        int majorVersion)
    {
        Control = control;
        _administration = administration;
        _connectionString = connectionString;
        MajorVersion = majorVersion;
    }

    /// <summary>Npgsql connection string of the default database, for a role that may create databases.</summary>
    public string ConnectionString => _connectionString.ConnectionString;

    /// <summary>Host name or address of the server.</summary>
    public string Host => _connectionString.Host!;

    /// <summary>TCP port; stays the same over restarts.</summary>
    public int Port => _connectionString.Port;

    /// <summary>Major version of the server, for example 17.</summary>
    public int MajorVersion { get; }

    /// <summary>False if the server comes from <c>EFPOOLING_POSTGRES</c>: it can be used but not stopped or restarted.</summary>
    public bool CanControl => Control.CanControl;

    internal IServerControl Control { get; }

    /// <summary>Creates an empty database and returns the connection string for it.</summary>
    /// <param name="name">Name of the database; null chooses one that is unique on the server.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <remarks>On a server of <c>EFPOOLING_POSTGRES</c> the database is dropped when this object is disposed.</remarks>
    public async Task<string> CreateDatabaseAsync(string? name = null, CancellationToken cancellationToken = default)
    {
        name ??= "db_" + Guid.NewGuid().ToString("N");
        await _administration.CreateDatabaseAsync(name, cancellationToken).ConfigureAwait(false);
        return new NpgsqlConnectionStringBuilder(ConnectionString) { Database = name }.ConnectionString;
    }

    /// <summary>Stops the server; returns when its last process has ended. Does nothing if it is stopped already.</summary>
    /// <exception cref="ServerNotControllableException"><see cref="CanControl"/> is false.</exception>
    public Task StopAsync(StopMode mode = StopMode.Fast, CancellationToken cancellationToken = default) =>
        ControlAsync(() => Control.StopAsync(mode, cancellationToken), cancellationToken);

    /// <summary>Starts the stopped server on the same port and data; returns when it accepts connections.</summary>
    /// <exception cref="ServerNotControllableException"><see cref="CanControl"/> is false.</exception>
    /// <exception cref="ServerStartException">The server does not start. The message ends with its log.</exception>
    /// <exception cref="InvalidOperationException">The server runs.</exception>
    public Task StartAgainAsync(CancellationToken cancellationToken = default) =>
        ControlAsync(() => Control.StartAgainAsync(cancellationToken), cancellationToken);

    /// <summary><see cref="StopAsync"/>, then <see cref="StartAgainAsync"/>.</summary>
    /// <exception cref="ServerNotControllableException"><see cref="CanControl"/> is false.</exception>
    public Task RestartAsync(StopMode mode = StopMode.Fast, CancellationToken cancellationToken = default) =>
        ControlAsync(
            async () =>
            {
                await Control.StopAsync(mode, cancellationToken).ConfigureAwait(false);
                await Control.StartAgainAsync(cancellationToken).ConfigureAwait(false);
            },
            cancellationToken);

    /// <summary>The client backends that run now, in all databases, without the one that looks.</summary>
    public Task<IReadOnlyList<BackendActivity>> QueryActivityAsync(CancellationToken cancellationToken = default) =>
        _administration.QueryActivityAsync(cancellationToken);

    /// <summary>Looks at the client backends until they meet the condition, and returns them as they were then.</summary>
    /// <remarks>PostgreSQL tells nobody when a backend comes or goes; this asks again every 10 ms.</remarks>
    /// <exception cref="TimeoutException">The condition was not met in time. The message lists the backends.</exception>
    public Task<IReadOnlyList<BackendActivity>> WaitForActivityAsync(
        Func<IReadOnlyList<BackendActivity>, bool> condition, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _administration.WaitForActivityAsync(condition, timeout, cancellationToken);

    /// <summary>Ends one backend (<c>pg_terminate_backend</c>); its client finds its connection broken.</summary>
    /// <returns>True when the backend was there; from PostgreSQL 14 on it has ended by then.</returns>
    public Task<bool> TerminateBackendAsync(int processId, CancellationToken cancellationToken = default) =>
        _administration.TerminateBackendAsync(processId, MajorVersion, cancellationToken);

    /// <summary>
    /// Stops the server and removes its files. A server of <c>EFPOOLING_POSTGRES</c> keeps running; only the databases
    /// that were created here are dropped. Safe to call twice.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        await _control.WaitAsync().ConfigureAwait(false);
        try
        {
            if (!_disposed)
            {
                _disposed = true;
                if (!CanControl)
                {
                    await _administration.DropCreatedDatabasesAsync().ConfigureAwait(false);
                }

                await Control.DisposeAsync().ConfigureAwait(false);
            }
        }
        finally
        {
            _control.Release();
        }
    }

    private async Task ControlAsync(Func<Task> action, CancellationToken cancellationToken)
    {
        await _control.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            await action().ConfigureAwait(false);
        }
        finally
        {
            _control.Release();
        }
    }
}
