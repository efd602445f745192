namespace EfPooling.Dev.Local;

/// <summary>Owns the directory and the processes of one server. One call at a time.</summary>
/// <remarks>Disposing ends the processes and removes the directory.</remarks>
internal interface IServerHost : IAsyncDisposable
{
    /// <summary>Holds data and log. Exists until the host is disposed.</summary>
    string DirectoryPath { get; }

    /// <summary>Creates the database cluster, with a superuser <c>postgres</c> who needs the password.</summary>
    Task InitializeAsync(string password, CancellationToken cancellationToken);

    /// <summary>Starts the server on a port of 127.0.0.1; returns when it accepts connections.</summary>
    /// <exception cref="ServerStartException">It ended instead, or took too long.</exception>
    /// <exception cref="InvalidOperationException">It runs already.</exception>
    Task StartAsync(int port, CancellationToken cancellationToken);

    /// <summary>Returns when the last process has ended. Does nothing if the server does not run.</summary>
    Task StopAsync(StopMode mode, CancellationToken cancellationToken);
}
