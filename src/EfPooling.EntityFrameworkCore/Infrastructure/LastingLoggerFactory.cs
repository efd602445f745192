using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// The loggers of the host that was first to use a pool, for as long as that host lives: a pool that contexts share outlives it, and
/// may need a further logger when its logging is gone.
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

    /// <summary>Does nothing: the host disposes its own.</summary>
    public void Dispose()
    {
    }
}
