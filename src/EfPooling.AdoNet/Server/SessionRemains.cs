using System.Data.Common;
using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>What a reset leaves in a session because no command undoes it without harming what Npgsql keeps there.</summary>
internal static class SessionRemains
{
    /// <summary>Statements that SQL has prepared, all others, and the first parts of the names of settings that libraries have defined.</summary>
    public const string Question =
        """
        SELECT pg_catalog.count(*) FILTER (WHERE from_sql), pg_catalog.count(*) FILTER (WHERE NOT from_sql),
            (SELECT pg_catalog.string_agg(DISTINCT pg_catalog.split_part(name, '.', 1), ' ') FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.~~) '%.%')
        FROM pg_catalog.pg_prepared_statements
        """;

    public const string ProceduralLanguage = "plpgsql"; // whose functions anybody may call

    /// <summary>Whether there is something: statements prepared by SQL, statements of Npgsql's that SQL has deallocated, or a library that SQL has loaded.</summary>
    /// <param name="connection">The session, whose answer has been read.</param>
    /// <param name="answer">To the question.</param>
    /// <param name="settingClasses">Of a fresh session; <c>null</c> if they are not known, and so no library can be told from what was there before.</param>
    public static bool Exist(NpgsqlConnection connection, (long BySql, long Others, string? Classes) answer, IReadOnlySet<string>? settingClasses)
        => answer.BySql > 0
            || answer.Others != NpgsqlInternals.CountPrepared(connection)
            || (settingClasses is not null && (answer.Classes ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Any(name => !IsKnown(name, settingClasses)));

    public static (long BySql, long Others, string? Classes) Read(DbDataReader reader)
        => (reader.GetInt64(0), reader.GetInt64(1), reader.IsDBNull(2) ? null : reader.GetString(2));

    private static bool IsKnown(string settingClass, IReadOnlySet<string> settingClasses)
        => settingClass == ProceduralLanguage || settingClasses.Contains(settingClass) || HarmlessExtensions.Contains(settingClass);
}
