using Microsoft.Extensions.Logging;

namespace EfPooling.EntityFrameworkCore;

/// <summary>All log messages of the EF Core layer; event ids 1200 to 1299.</summary>
internal static partial class Log
{
    [LoggerMessage(1200, LogLevel.Warning, "Pool '{Pool}' could not be warmed up. It keeps trying; until then callers get the server's error.")]
    public static partial void WarmUpFailed(ILogger logger, Exception error, string pool);

    [LoggerMessage(1201, LogLevel.Information, "{Context} uses a pool of its own beside the registered pool '{Pool}' to the same database, because its UseNpgsql or UseTransactionPooling configures something of its own. Configure the registered pool instead to share it.")]
    public static partial void OwnPool(ILogger logger, string context, string pool);

    [LoggerMessage(1202, LogLevel.Warning, "Pool '{Pool}' is registered, but DbDataSource is registered as something else: its users are not pooled. Ask for TransactionPoolingDataSource, or remove the other registration.")]
    public static partial void OtherDataSource(ILogger logger, string pool);

    [LoggerMessage(1203, LogLevel.Warning, "An NpgsqlDataSource is registered beside pool '{Pool}'. Contexts whose UseNpgsql names nothing use the pool if it is to the same database; users of NpgsqlDataSource or NpgsqlConnection are not pooled. What the data source configures, type mappings for example, must be configured with AddTransactionPooling; or build the pool on the data source.")]
    public static partial void NpgsqlDataSourceBeside(ILogger logger, string pool);
}
