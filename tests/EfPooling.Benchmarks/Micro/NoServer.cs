using EfPooling.Core;

namespace EfPooling.Benchmarks.Micro;

/// <summary>Server connections without a server: what is left is the cost of the pool.</summary>
internal sealed class NoServer : IServerConnector<object>
{
    public Task<object> OpenAsync(CancellationToken cancellationToken) => Task.FromResult(new object());

    public Task<bool> IsAliveAsync(object connection) => Task.FromResult(true);

    public Task<bool> IsAliveOnThreadAsync(object connection) => Task.FromResult(true);

    public Task CloseAsync(object connection) => Task.CompletedTask;
}
