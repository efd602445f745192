using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>What makes a session as good as new.</summary>
internal static class SessionReset
{
    // What DISCARD ALL does, without the prepared statements: Npgsql keeps count of them, and they stay warm.
    private static readonly string[] State =
    [
        "SET SESSION AUTHORIZATION DEFAULT", "RESET ALL", "CLOSE ALL", "UNLISTEN *",
        "SELECT pg_advisory_unlock_all()", "DISCARD SEQUENCES", "DISCARD TEMP",
    ];

    /// <summary>One error barrier each: ROLLBACK must end a transaction that SQL text left open before the rest can run.</summary>
    public static NpgsqlBatch Create(NpgsqlConnection connection, Taint taint, int timeoutSeconds)
    {
        var reset = new NpgsqlBatch(connection) { Timeout = timeoutSeconds, EnableErrorBarriers = true };
        if (taint.HasFlag(Taint.OpenTransaction))
        {
            reset.BatchCommands.Add(new NpgsqlBatchCommand("ROLLBACK")); // Without a transaction the server would log a warning.
        }

        foreach (var statement in taint.HasFlag(Taint.Dirty) ? State : [])
        {
            reset.BatchCommands.Add(new NpgsqlBatchCommand(statement));
        }

        return reset;
    }
}
