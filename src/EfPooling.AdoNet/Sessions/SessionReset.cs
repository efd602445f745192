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

    /// <summary>Undoes what is tainted.</summary>
    /// <param name="connection">The session.</param>
    /// <param name="taint">What there is to undo.</param>
    /// <param name="withForeignState">Then leaves state behind that belongs to nobody, for shuffle mode.</param>
    /// <param name="timeoutSeconds">Of each of the two round trips.</param>
    public static void Run(NpgsqlConnection connection, Taint taint, bool withForeignState, int timeoutSeconds)
    {
        using var reset = Create(connection, taint, timeoutSeconds);
        reset.ExecuteNonQuery();
        if (withForeignState)
        {
            using var foreign = CreateForeignState(connection, timeoutSeconds);
            foreign.ExecuteNonQuery();
        }
    }

    /// <inheritdoc cref="Run"/>
    public static async Task RunAsync(NpgsqlConnection connection, Taint taint, bool withForeignState, int timeoutSeconds)
    {
        var reset = Create(connection, taint, timeoutSeconds);
        await using (reset.ConfigureAwait(false))
        {
            await reset.ExecuteNonQueryAsync().ConfigureAwait(false);
        }

        if (withForeignState)
        {
            var foreign = CreateForeignState(connection, timeoutSeconds);
            await using (foreign.ConfigureAwait(false))
            {
                await foreign.ExecuteNonQueryAsync().ConfigureAwait(false);
            }
        }
    }

    private static NpgsqlCommand CreateForeignState(NpgsqlConnection connection, int timeoutSeconds)
        => new(ForeignState, connection) { CommandTimeout = timeoutSeconds };

    // One error barrier each: ROLLBACK must end a transaction that SQL text left open before the rest can run.
    private static NpgsqlBatch Create(NpgsqlConnection connection, Taint taint, int timeoutSeconds)
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
