using System.Data.Common;
using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>What a reset leaves in a session, because no command undoes it without harming Npgsql's own state there.</summary>
internal static class SessionRemains
{
    /// <summary>
    /// Counts the statements prepared by SQL and all others, and lists the prefixes of the settings that libraries have defined.
    /// </summary>
    public const string Question =
        """
        SELECT pg_catalog.count(*) FILTER (WHERE from_sql), pg_catalog.count(*) FILTER (WHERE NOT from_sql),
            (SELECT pg_catalog.string_agg(DISTINCT pg_catalog.split_part(name, '.', 1), ' ') FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.~~) '%.%')
        FROM pg_catalog.pg_prepared_statements
        """;

    public const string ProceduralLanguage = "plpgsql"; // every user may call its functions

    /// <summary>
    /// Whether there are remains: statements prepared by SQL, statements of Npgsql's that SQL has deallocated, or a library that
    /// SQL has loaded.
    /// </summary>
    /// <param name="connection">The session, whose answer has been read.</param>
    /// <param name="answer">The answer to the question.</param>
    /// <param name="settingClasses">
    /// Those of a fresh session; <c>null</c> if unknown, so that a loaded library cannot be told from an earlier one.
    /// </param>
    public static bool Exist(NpgsqlConnection connection, (long BySql, long Others, string? Classes) answer, IReadOnlySet<string>? settingClasses)
        => answer.BySql > 0
            || answer.Others != NpgsqlInternals.CountPrepared(connection)
            || (settingClasses is not null && (answer.Classes ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Any(name => !IsKnown(name, settingClasses)));

    public static (long BySql, long Others, string? Classes) Read(DbDataReader reader)
        => (reader.GetInt64(0), reader.GetInt64(1), reader.IsDBNull(2) ? null : reader.GetString(2));

    private static bool IsKnown(string settingClass, IReadOnlySet<string> settingClasses)
        => settingClass == ProceduralLanguage || settingClasses.Contains(settingClass) || HarmlessExtensions.Contains(settingClass);
}
