using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// The loggers of the host that first used a pool, for as long as that host lives. A pool that contexts share outlives the host,
/// and may need a further logger when the host's logging is gone.
/// </summary>
internal sealed class LastingLoggerFactory(ILoggerFactory inner) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName)
    {
        try
        {
            return inner.CreateLogger(categoryName);
        }
        catch (ObjectDisposedException)
        {
            return NullLogger.Instance;
        }
    }

    public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

    /// <summary>Does nothing: the host disposes its own factory.</summary>
    public void Dispose()
    {
    }
}
