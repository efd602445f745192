using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Each statement of the corpus that is said to be harmless leaves its session as it was, on the server itself.</summary>
public sealed class HarmlessStatementTests(ServerFixture fixture) : PoolTest(fixture)
{
    // What a session has that its next owner could notice. Npgsql's own prepared statements are protocol-level ones. A custom setting that a
    // transaction has set for itself is empty afterwards instead of missing; whoever reads one must treat both alike.
    private const string Session =
        """
        SELECT concat_ws(E'\n',
            (SELECT string_agg(name || '=' || setting, ';' ORDER BY name) FROM pg_settings WHERE name NOT LIKE 'transaction\_%'),
            nullif(current_setting('custom.x', true), ''), nullif(current_setting('custom.tenant', true), ''), nullif(current_setting('local.x', true), ''),
            nullif(current_setting('transaction.x', true), ''), nullif(current_setting('session.x', true), ''), nullif(current_setting('constraints.x', true), ''),
            (SELECT string_agg(name, ';' ORDER BY name) FROM pg_prepared_statements WHERE from_sql),
            (SELECT string_agg(c, ';') FROM pg_listening_channels() c),
            (SELECT string_agg(locktype || objid, ';') FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
            (SELECT string_agg(relname, ';') FROM pg_class WHERE relnamespace = pg_my_temp_schema()),
            (SELECT string_agg(proname, ';') FROM pg_proc WHERE pronamespace = pg_my_temp_schema()),
            (SELECT string_agg(name, ';') FROM pg_cursors WHERE is_holdable),
            current_user, session_user, current_setting('transaction_isolation'), current_setting('transaction_read_only'),
            pg_current_xact_id_if_assigned()::text, (SELECT count(*)::text FROM pg_replication_slots WHERE active_pid = pg_backend_pid()))
        """;

    private const string Schema =
        """
        DROP SCHEMA IF EXISTS other CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;
        CREATE TABLE owner (id int PRIMARY KEY, name text);
        CREATE TABLE item (id serial PRIMARY KEY, name text, owner_id int, created timestamptz);
        CREATE TABLE "Items" ("Id" serial, "Name" text);
        CREATE VIEW noisy_view AS SELECT random() AS r;
        CREATE MATERIALIZED VIEW item_summary AS SELECT count(*) FROM item;
        CREATE PROCEDURE change_setting() LANGUAGE sql AS $$ SELECT set_config('work_mem', '77MB', false) $$;
        CREATE PROCEDURE harmless(a text) LANGUAGE sql AS $$ SELECT 1 $$;
        DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'somebody') THEN CREATE ROLE somebody; END IF; END $$;
        """;

    public static TheoryData<string> Lines => [.. SqlCorpus.Entries.Where(IsHarmless).Select(entry => entry.Line)];

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task HarmlessStatement_LeavesItsSessionAsItWas(string line)
    {
        var entry = SqlCorpus.Entries.First(entry => entry.Line == line);
        await PrepareDatabaseAsync(Schema);
        await using var connection = await OpenPlainAsync();
        await connection.RunAsync("DO $$ BEGIN END $$"); // The language's first use brings its settings.
        var before = await connection.AskAsync<string>(Session);

        if (entry.Use == SqlCorpusUse.Begin)
        {
            await connection.RunAsync("BEGIN");
        }

        var error = await Record.ExceptionAsync(() => RunAsync(connection, entry.Sql));
        Assert.True(entry.Use == SqlCorpusUse.Fails == error is not null, error?.Message ?? "It does not fail.");
        if (entry.Use == SqlCorpusUse.Begin)
        {
            await connection.RunAsync("COMMIT");
        }

        Assert.Equal(before, await connection.AskAsync<string>(Session));
    }

    private static bool IsHarmless(SqlCorpusEntry entry)
        => entry.Use != SqlCorpusUse.NoRun && SqlVerdict.Of(entry.Sql).Effects == SessionEffects.None;

    // COPY has its own calls in Npgsql.
    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        if (sql.StartsWith("COPY", StringComparison.Ordinal))
        {
            using var reader = await connection.BeginTextExportAsync(sql);
            await reader.ReadToEndAsync();
        }
        else
        {
            await connection.RunAsync(sql);
        }
    }
}
