using Microsoft.Extensions.Logging;

namespace EfPooling.EntityFrameworkCore.Hosting;

/// <summary>All log messages of the EF Core layer; event ids 1200 to 1299.</summary>
internal static partial class Log
{
    [LoggerMessage(1200, LogLevel.Warning, "Pool '{Pool}' could not be warmed up. It goes on trying; until then callers get the server's error.")]
    public static partial void WarmUpFailed(ILogger logger, Exception error, string pool);
}
