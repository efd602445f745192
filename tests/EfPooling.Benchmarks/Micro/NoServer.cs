using EfPooling.Core;

namespace EfPooling.Benchmarks.Micro;

/// <summary>Server connections without a server: what is left is the cost of the pool.</summary>
internal sealed class NoServer : IServerConnector<object>
{
    public Task<object> OpenAsync(CancellationToken cancellationToken) => Task.FromResult(new object());

    public bool IsAlive(object connection) => true;

    public ValueTask<bool> IsAliveAsync(object connection) => new(true);

    public void Close(object connection)
    {
    }
}
