using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>Shows that the protocol of a session is in sync: each answer belongs to the latest question.</summary>
internal static class SessionPing
{
    /// <summary>A round trip. Absorbs a cancel request that arrived too late for the command it was meant for.</summary>
    /// <exception cref="NpgsqlException">The server did not answer as expected.</exception>
    public static void Run(NpgsqlConnection connection, int timeoutSeconds)
    {
        using var ping = Create(connection, timeoutSeconds);
        try
        {
            ping.ExecuteNonQuery();
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            ping.ExecuteNonQuery();
        }
    }

    /// <inheritdoc cref="Run"/>
    public static async Task RunAsync(NpgsqlConnection connection, int timeoutSeconds)
    {
        var ping = Create(connection, timeoutSeconds);
        await using (ping.ConfigureAwait(false))
        {
            try
            {
                await ping.ExecuteNonQueryAsync().ConfigureAwait(false);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.QueryCanceled)
            {
                await ping.ExecuteNonQueryAsync().ConfigureAwait(false);
            }
        }
    }

    private static NpgsqlCommand Create(NpgsqlConnection connection, int timeoutSeconds)
    {
        var command = OwnCommand.Create("SELECT 1", connection);
        command.CommandTimeout = timeoutSeconds;
        return command;
    }
}
