using Microsoft.Extensions.Logging;

namespace EfPooling.EntityFrameworkCore;

/// <summary>All log messages of the EF Core layer; event ids 1200 to 1299.</summary>
internal static partial class Log
{
    [LoggerMessage(1200, LogLevel.Warning, "Pool '{Pool}' could not be warmed up. It goes on trying; until then callers get the server's error.")]
    public static partial void WarmUpFailed(ILogger logger, Exception error, string pool);

    [LoggerMessage(1201, LogLevel.Information, "{Context} uses a pool of its own beside the registered pool '{Pool}' to the same database, because its UseNpgsql or UseTransactionPooling configures something of its own. Configure the registered pool instead to share it.")]
    public static partial void OwnPool(ILogger logger, string context, string pool);
}
