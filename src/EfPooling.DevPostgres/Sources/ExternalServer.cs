namespace EfPooling.Dev.Sources;

/// <summary>A server that others start and stop.</summary>
internal sealed class ExternalServer(string connectionString) : IServerControl
{
    public string ConnectionString => connectionString;

    public bool CanControl => false;

    public Task StopAsync(StopMode mode, CancellationToken cancellationToken) =>
        throw new ServerNotControllableException();

    public Task StartAgainAsync(CancellationToken cancellationToken) =>
        throw new ServerNotControllableException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
