using System.Globalization;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Resets a session and checks the result. If the check finds anything that no reset undoes, the connection must be closed.
/// </summary>
/// <param name="canPrepend">Whether the commands may travel ahead of the checking question, in one round trip.</param>
/// <param name="timeoutSeconds">For each round trip.</param>
internal sealed class SessionReset(bool canPrepend, int timeoutSeconds)
{
    private const string Rollback = "ROLLBACK";

    // The effect of DISCARD ALL, except for the prepared statements: Npgsql tracks them, and they stay prepared.
    private static readonly string[] State =
    [
        "SET SESSION AUTHORIZATION DEFAULT", "RESET ALL", "CLOSE ALL", "UNLISTEN *", "DISCARD SEQUENCES", "DISCARD TEMP",
    ];

    // The server does not tell the seed of random(), so the session gets an unpredictable one.
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
    /// <param name="taint">What must be undone.</param>
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

    /// <summary>Leaves foreign state behind, for shuffle mode.</summary>
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

    // ROLLBACK must end a transaction that SQL text left open before the other commands can run. Without a transaction the server
    // would log a warning. One command at a time if they cannot be prepended: after the first statement of a batch, Npgsql needs
    // the thread pool even for synchronous callers.
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
            NpgsqlInternals.Prepend(connection, SettingMessage.Command(Rollback), answers: 2); // The answers: it is complete, and the server is ready.
        }

        if (state.Length > 0)
        {
            var rows = state.Count(text => text.StartsWith("SELECT", StringComparison.Ordinal)); // Each row is described before it is sent.
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
