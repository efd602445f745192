using System.Globalization;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>Makes a session as good as new, and looks whether it is: what no reset undoes shows, and then the connection must be closed.</summary>
/// <param name="canPrepend">The commands may travel ahead of the question how the session is, in one round trip.</param>
/// <param name="timeoutSeconds">Of each round trip.</param>
internal sealed class SessionReset(bool canPrepend, int timeoutSeconds)
{
    private const string Rollback = "ROLLBACK";

    // What DISCARD ALL does, without the prepared statements: Npgsql keeps count of them, and they stay warm.
    private static readonly string[] State =
    [
        "SET SESSION AUTHORIZATION DEFAULT", "RESET ALL", "CLOSE ALL", "UNLISTEN *", "DISCARD SEQUENCES", "DISCARD TEMP",
    ];

    // Nothing tells what seed random() has, so it gets one that nobody knows.
    private static string[] Functions => ["SELECT pg_catalog.pg_advisory_unlock_all()", string.Create(CultureInfo.InvariantCulture, $"SELECT pg_catalog.setseed({Random.Shared.NextDouble():F15})")];

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
    /// <param name="settingClasses">See <see cref="SessionRemains.Exist"/>.</param>
    /// <returns>Whether the session is as good as new.</returns>
    public bool Run(NpgsqlConnection connection, Taint taint, IReadOnlySet<string>? settingClasses)
    {
        foreach (var command in Begin(connection, taint))
        {
            using (command)
            {
                command.ExecuteNonQuery();
            }
        }

        if (!taint.HasFlag(Taint.Dirty))
        {
            SessionPing.Run(connection, timeoutSeconds);
            return true;
        }

        (long, long, string?) answer;
        using (var question = Create(SessionRemains.Question, connection))
        using (var reader = question.ExecuteReader())
        {
            reader.Read();
            answer = SessionRemains.Read(reader);
        }

        return !SessionRemains.Exist(connection, answer, settingClasses);
    }

    /// <inheritdoc cref="Run"/>
    public async Task<bool> RunAsync(NpgsqlConnection connection, Taint taint, IReadOnlySet<string>? settingClasses)
    {
        foreach (var command in Begin(connection, taint))
        {
            await using (command.ConfigureAwait(false))
            {
                await command.ExecuteNonQueryAsync().ConfigureAwait(false);
            }
        }

        if (!taint.HasFlag(Taint.Dirty))
        {
            await SessionPing.RunAsync(connection, timeoutSeconds).ConfigureAwait(false);
            return true;
        }

        (long, long, string?) answer;
        var question = Create(SessionRemains.Question, connection);
        await using (question.ConfigureAwait(false))
        {
            var reader = await question.ExecuteReaderAsync().ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.ReadAsync().ConfigureAwait(false);
                answer = SessionRemains.Read(reader);
            }
        }

        return !SessionRemains.Exist(connection, answer, settingClasses);
    }

    /// <summary>Leaves state behind that belongs to nobody, for shuffle mode.</summary>
    public void LeaveForeignState(NpgsqlConnection connection)
    {
        using var foreign = Create(ForeignState, connection);
        foreign.ExecuteNonQuery();
    }

    /// <inheritdoc cref="LeaveForeignState"/>
    public async Task LeaveForeignStateAsync(NpgsqlConnection connection)
    {
        var foreign = Create(ForeignState, connection);
        await using (foreign.ConfigureAwait(false))
        {
            await foreign.ExecuteNonQueryAsync().ConfigureAwait(false);
        }
    }

    // ROLLBACK must end a transaction that SQL text left open before the rest can run. Without a transaction the server would log a warning.
    // One command at a time where they cannot be prepended: behind the first statement of a batch, Npgsql needs the thread pool also for synchronous callers.
    private IEnumerable<NpgsqlCommand> Begin(NpgsqlConnection connection, Taint taint)
    {
        var isOpen = taint.HasFlag(Taint.OpenTransaction);
        string[] state = taint.HasFlag(Taint.Dirty) ? [.. State, .. Functions] : [];
        if (!canPrepend)
        {
            return ((string[])[.. isOpen ? [Rollback] : (string[])[], .. state]).Select(text => Create(text, connection));
        }

        if (isOpen)
        {
            NpgsqlInternals.Prepend(connection, SettingMessage.Command(Rollback), answers: 2); // It is complete, and the server is ready.
        }

        if (state.Length > 0)
        {
            var rows = state.Count(text => text.StartsWith("SELECT", StringComparison.Ordinal)); // They are described before they come.
            NpgsqlInternals.Prepend(connection, SettingMessage.Command(string.Join("; ", state)), answers: state.Length + rows + 1);
        }

        return [];
    }

    private NpgsqlCommand Create(string text, NpgsqlConnection connection)
    {
        var command = OwnCommand.Create(text, connection);
        command.CommandTimeout = timeoutSeconds;
        return command;
    }
}
