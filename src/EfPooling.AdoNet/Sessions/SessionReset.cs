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

    // What no code may rely on: the last value of a sequence, the seed of random(), temporary objects.
    private const string ForeignState =
        """
        DO $$ BEGIN
            PERFORM setseed(0.5);
            IF has_database_privilege(current_database(), 'TEMPORARY') THEN
                CREATE TEMPORARY SEQUENCE IF NOT EXISTS efpooling_shuffle START 815000000;
                PERFORM nextval('pg_temp.efpooling_shuffle');
            END IF;
        END $$
        """;

    /// <summary>Leaves state behind that belongs to nobody, for shuffle mode.</summary>
    public static NpgsqlCommand CreateForeignState(NpgsqlConnection connection, int timeoutSeconds) => new(ForeignState, connection) { CommandTimeout = timeoutSeconds };

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
