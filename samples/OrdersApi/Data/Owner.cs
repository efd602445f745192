using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace OrdersApi.Data;

/// <summary>The owner of the tables, which migrates them. Requests never run as the owner.</summary>
internal static class Owner
{
    private const long MigrationLock = 7_310_579_624; // Any number that no other code locks.

    /// <summary>Safe when several instances of the API start together.</summary>
    public static async Task MigrateAsync(string connectionString, ILoggerFactory loggers)
    {
        var options = new DbContextOptionsBuilder<OrdersDb>()
            .UseNpgsql(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString)
            .UseLoggerFactory(loggers)
            // EF Core tries to read a history that is not there yet when it migrates for the first time. Other failed commands are exceptions, which are logged.
            .ConfigureWarnings(warnings => warnings.Log((RelationalEventId.CommandError, LogLevel.Debug)));
        await using var db = new OrdersDb(options.Options);
        if (await db.Database.CanConnectAsync())
        {
            // EF Core's own lock ends with the transaction of each migration, so two instances might both apply the second migration. This lock ends with the connection.
            await db.Database.OpenConnectionAsync();
            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock({MigrationLock})");
        }

        await db.Database.MigrateAsync();
    }
}
