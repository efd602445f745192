using EfPooling.AdoNet;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace EfPooling.EntityFrameworkCore.Hosting;

/// <summary>Warms the registered pool up when the host starts, and closes it when the host has stopped serving.</summary>
internal sealed class PoolHostedService(TransactionPoolingDataSource pool, ILogger<PoolHostedService> logger) : IHostedLifecycleService
{
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(10);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Warms up once everything has started, migrations at start-up included. A server that is not there yet is no reason not to
    /// start: the pool goes on trying, and callers get the server's error until then.
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

    /// <summary>Closes the pool after every other service has stopped, because they may still use it while they stop.</summary>
    public Task StoppedAsync(CancellationToken cancellationToken) => pool.CloseAsync(Drain);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
