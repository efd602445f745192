using System.Globalization;
using Npgsql;

namespace EfPooling.AdoNet.Tests.Safety;

/// <summary>All that a caller could notice of its session. A custom setting that a transaction has set for itself is empty afterwards instead of missing; whoever reads one must treat both alike.</summary>
internal static class SessionState
{
    private const string Query =
        """
        SELECT concat_ws(E'\n',
            (SELECT string_agg(name || '=' || setting, ';' ORDER BY name) FROM pg_catalog.pg_settings WHERE name !~ '^(transaction_|plpgsql|application_name)'),
            (SELECT string_agg(n || '=' || nullif(current_setting(n, true), ''), ';' ORDER BY n) FROM unnest(ARRAY['app.x', 'app.y', 'app.tenant_id', 'app.É', 'app.é', 'custom.x']) n),
            current_user || '/' || session_user || '/' || current_setting('role'),
            'prepared: ' || (SELECT string_agg(name, ';' ORDER BY name) FROM pg_prepared_statements WHERE from_sql),
            'cursors: ' || (SELECT string_agg(name, ';' ORDER BY name) FROM pg_cursors WHERE is_holdable),
            'temporary: ' || (SELECT string_agg(relname, ';' ORDER BY relname) FROM pg_class WHERE pg_my_temp_schema() <> 0 AND relnamespace = pg_my_temp_schema()),
            'temporary functions: ' || (SELECT string_agg(proname, ';' ORDER BY proname) FROM pg_proc WHERE pg_my_temp_schema() <> 0 AND pronamespace = pg_my_temp_schema()),
            'locks: ' || (SELECT string_agg(classid || ':' || objid || ':' || mode, ';' ORDER BY objid) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
            'channels: ' || (SELECT string_agg(c, ';' ORDER BY c) FROM pg_listening_channels() c),
            current_setting('transaction_isolation') || '/' || current_setting('transaction_read_only') || '/' || current_setting('transaction_deferrable'),
            CASE WHEN random() = ANY (ARRAY[{0}]::float8[]) THEN 'a predictable random()' END)
        """;

    /// <summary>A question that knows the numbers which <c>random()</c> gives after <c>setseed(0.42)</c>.</summary>
    public static async Task<string> LearnAsync(NpgsqlConnection plain)
    {
        await plain.RunAsync("SELECT setseed(0.42)");
        var numbers = new List<string>();
        for (var i = 0; i < 8; i++)
        {
            numbers.Add((await plain.AskAsync<double>("SELECT random()")).ToString("R", CultureInfo.InvariantCulture));
        }

        await plain.RunAsync("DISCARD ALL");
        return Query.Replace("{0}", string.Join(", ", numbers), StringComparison.Ordinal);
    }
}
