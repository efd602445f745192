using EfPooling.AdoNet;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EfPooling.EntityFrameworkCore.Hosting;

/// <summary>
/// Warms the registered pool up when the host starts. Stopping the host does not affect the pool: until the host is disposed, its
/// services may still be used, to clean up or to read what was written. Disposing the host closes the pool.
/// </summary>
internal sealed class PoolHostedService(TransactionPoolingDataSource pool, ILogger<PoolHostedService> logger) : IHostedLifecycleService
{
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Warms up once everything has started, migrations at start-up included. An unreachable server does not keep the host from
    /// starting: the pool keeps trying, and callers get the server's error until then.
    /// </summary>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        if (pool.Options.MinPoolSize == 0)
        {
            return;
        }

        try
        {
            await pool.WarmUpAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Log.WarmUpFailed(logger, e, pool.Name);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
