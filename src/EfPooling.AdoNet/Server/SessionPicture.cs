using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// All that is observable of a session outside a transaction: its settings, users, statements, cursors, objects, locks and
/// channels.
/// </summary>
internal sealed class SessionPicture
{
    // Custom settings cannot be listed, so the question names those found in a text or in a function's body. A setting local to a
    // transaction is empty afterwards, not missing.
    private const string Question =
        """
        SELECT 'setting ' || name, setting FROM pg_catalog.pg_settings WHERE name !~ '^transaction_'
        UNION ALL SELECT 'custom setting ' || n, nullif(pg_catalog.current_setting(n, true), '')
            FROM (
                SELECT unnest($1::text[])
                UNION SELECT m[1] FROM pg_catalog.pg_proc p, regexp_matches(p.prosrc, '''([a-zA-Z_]\w*\.\w+)''', 'g') m WHERE p.oid >= 16384) custom (n)
        UNION ALL SELECT 'user', concat_ws('/', current_user, session_user, pg_catalog.current_setting('role'))
        UNION ALL SELECT 'prepared statements', string_agg(name, ' ' ORDER BY name) FROM pg_catalog.pg_prepared_statements WHERE from_sql
        UNION ALL SELECT 'cursors', string_agg(name, ' ' ORDER BY name) FROM pg_catalog.pg_cursors
        UNION ALL SELECT 'temporary objects', string_agg(name, ' ' ORDER BY name)
            FROM (
                SELECT relname::text FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.pg_my_temp_schema()
                UNION ALL SELECT proname::text FROM pg_catalog.pg_proc WHERE pronamespace = pg_catalog.pg_my_temp_schema()) temporary (name)
            WHERE pg_catalog.pg_my_temp_schema() <> 0
        UNION ALL SELECT 'session locks', string_agg(concat_ws(':', classid, objid, objsubid, mode), ' ' ORDER BY classid, objid, mode)
            FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid()
        UNION ALL SELECT 'channels', string_agg(channel, ' ' ORDER BY channel) FROM pg_catalog.pg_listening_channels() channel
        """;

    private const string Custom = "custom ";

    private readonly Dictionary<string, string?> _parts = new(StringComparer.Ordinal);

    public static SessionPicture Take(NpgsqlConnection connection, IEnumerable<string> customSettings, int timeoutSeconds)
    {
        using var question = Ask(connection, customSettings, timeoutSeconds);
        using var reader = question.ExecuteReader();
        var picture = new SessionPicture();
        while (reader.Read())
        {
            picture.Add(reader);
        }

        return picture;
    }

    /// <inheritdoc cref="Take"/>
    public static async Task<SessionPicture> TakeAsync(NpgsqlConnection connection, IEnumerable<string> customSettings, int timeoutSeconds)
    {
        var question = Ask(connection, customSettings, timeoutSeconds);
        await using (question.ConfigureAwait(false))
        {
            var reader = await question.ExecuteReaderAsync().ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                var picture = new SessionPicture();
                while (await reader.ReadAsync().ConfigureAwait(false))
                {
                    picture.Add(reader);
                }

                return picture;
            }
        }
    }

    /// <summary>The differences between this picture and an earlier one.</summary>
    /// <param name="before">The earlier picture.</param>
    /// <param name="followed">Names of settings that follow their connection or are declared, and so may differ.</param>
    public IReadOnlyList<string> DifferencesTo(SessionPicture before, IReadOnlyCollection<string> followed)
    {
        var differences = new List<string>();
        foreach (var (part, now) in _parts)
        {
            var isFollowed = followed.Any(name => part.EndsWith($"setting {name}", StringComparison.OrdinalIgnoreCase))
                || (part == "user" && followed.Any(name => name is "role" or "session_authorization"));
            if (!isFollowed && before._parts.GetValueOrDefault(part) is var then && then != now && (before._parts.ContainsKey(part) || !(IsCustom(part) || IsLibrary(part))))
            {
                differences.Add($"{(IsCustom(part) ? part[Custom.Length..] : part)}: {now ?? "none"} (was {then ?? "none"})");
            }
        }

        return differences;
    }

    /// <summary>Whether a custom setting that was not asked for before has a value here. Its origin is unknown.</summary>
    public bool KnowsMoreThan(SessionPicture before) => _parts.Any(part => part.Value is not null && !before._parts.ContainsKey(part.Key) && IsCustom(part.Key));

    private static bool IsCustom(string part) => part.StartsWith(Custom, StringComparison.Ordinal);

    private static NpgsqlCommand Ask(NpgsqlConnection connection, IEnumerable<string> customSettings, int timeoutSeconds)
    {
        var question = new NpgsqlCommand(Question, connection) { CommandTimeout = timeoutSeconds };
        question.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. customSettings] });
        return question;
    }

    // A library defines its settings at its first use, for example PL/pgSQL.
    private static bool IsLibrary(string part)
        => part.Split(' ', '.') is ["setting", var settingClass, _, ..] && (settingClass == SessionRemains.ProceduralLanguage || Sql.HarmlessExtensions.Contains(settingClass));

    private void Add(DbDataReader reader) => _parts[reader.GetString(0)] = reader.IsDBNull(1) ? null : reader.GetString(1);
}
