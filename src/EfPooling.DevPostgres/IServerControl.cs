namespace EfPooling.Dev;

/// <summary>A server that runs, and what can be done to it as a whole. One call at a time.</summary>
/// <remarks>Disposing stops and removes what was started here, and nothing else.</remarks>
internal interface IServerControl : IAsyncDisposable
{
    /// <summary>Npgsql connection string of a role that may create databases.</summary>
    string ConnectionString { get; }

    /// <summary>False if the server is not ours to stop; the methods throw then.</summary>
    bool CanControl { get; }

    /// <summary>Returns when the last process of the server has ended. Does nothing if it is stopped already.</summary>
    Task StopAsync(StopMode mode, CancellationToken cancellationToken);

    /// <summary>Starts the stopped server on the same port and data; returns when it accepts connections.</summary>
    Task StartAgainAsync(CancellationToken cancellationToken);
}
