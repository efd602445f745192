using Testcontainers.PostgreSql;

namespace EfPooling.Dev.Sources;

/// <summary>A server in a container.</summary>
internal sealed class ContainerServer(PostgreSqlContainer container) : IServerControl
{
    public string ConnectionString { get; } = container.GetConnectionString();

    public bool CanControl => true;

    public async Task StopAsync(StopMode mode, CancellationToken cancellationToken)
    {
        if (mode == StopMode.Immediate)
        {
            // The server is the first process of the container, which ends with it.
            await container.ExecAsync(["sh", "-c", "kill -QUIT 1"], cancellationToken).ConfigureAwait(false);
        }

        await container.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    public Task StartAgainAsync(CancellationToken cancellationToken) => container.StartAsync(cancellationToken);

    public ValueTask DisposeAsync() => container.DisposeAsync();
}
