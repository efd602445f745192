namespace EfPooling.Dev.Sources;

/// <summary>One way to get a server.</summary>
internal interface IServerSource
{
    /// <summary>What the way is called in the error that lists all of them.</summary>
    string Name { get; }

    /// <summary>Gives a server that answers, or says why this way is not open here.</summary>
    /// <exception cref="ServerStartException">The way is open, but the server does not start.</exception>
    Task<SourceAnswer> TryStartAsync(DevPostgresOptions options, CancellationToken cancellationToken);
}
