using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace EfPooling.AdoNet;

/// <summary>
/// What a SQL text may leave behind in its session, so that a dirty server connection is reset and a clean one never is.
/// Errs on the safe side: a statement it does not know is taken to be dirty. What functions of the user's do inside cannot be seen.
/// </summary>
internal static class SessionEffects
{
    private const int CacheLimit = 10_000;

    private static readonly ConcurrentDictionary<string, Taint> Cache = new();

    private static readonly FrozenSet<string> Harmless = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE", "WITH", "SHOW", "EXPLAIN", "COPY", "NOTIFY", "LOCK", "SAVEPOINT",
        "RELEASE", "FETCH", "MOVE", "CLOSE", "ANALYZE", "VACUUM", "REINDEX", "TRUNCATE", "COMMENT", "GRANT", "REVOKE", "ALTER", "CREATE",
        "DROP", "REFRESH", "CLUSTER", "CHECKPOINT", "REASSIGN", "SECURITY", "IMPORT");

    private static readonly FrozenSet<string> Unresettable = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, "PREPARE", "DEALLOCATE", "DISCARD", "LOAD");

    // Dirty, but they leave no transaction open.
    private static readonly FrozenSet<string> Settling = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, "SET", "RESET", "LISTEN", "UNLISTEN", "DO", "CALL", "DECLARE");

    // Wherever they stand, as a function, as a schema or as part of CREATE TEMP TABLE and SELECT INTO TEMP. An update of pg_settings is
    // a SET, and what stands before UESCAPE may spell any name.
    private static readonly FrozenSet<string> DirtyWords = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "TEMP", "TEMPORARY", "pg_temp", "pg_settings", "UESCAPE", "set_config", "set_limit", "setseed", "dblink_connect", "dblink_connect_u", "pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock",
        "pg_try_advisory_lock_shared", "pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all");

    private static readonly FrozenSet<string> UnresettableWords = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        "pg_replication_origin_session_setup", "pg_create_logical_replication_slot", "pg_create_physical_replication_slot",
        "pg_copy_logical_replication_slot", "pg_copy_physical_replication_slot");

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> HarmlessSpan = Harmless.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> UnresettableSpan = Unresettable.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> SettlingSpan = Settling.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> UnresettableWordsSpan = UnresettableWords.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> DirtyWordsSpan = DirtyWords.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The effect of a text, remembered per text. Texts are few; when they are not (values pasted into SQL), the memory starts afresh.</summary>
    public static Taint Of(string sql)
    {
        if (Cache.TryGetValue(sql, out var known))
        {
            return known;
        }

        if (Cache.Count >= CacheLimit)
        {
            Cache.Clear();
        }

        return Cache[sql] = Classify(sql);
    }

    internal static Taint Classify(ReadOnlySpan<char> sql)
    {
        var lexer = new SqlLexer(sql);
        var taint = Taint.None;
        var atStart = true;
        while (lexer.Next())
        {
            if (!lexer.IsWord)
            {
                atStart = lexer.Token[0] == ';' || (atStart && lexer.Token[0] == '(');
                continue;
            }

            if (atStart)
            {
                taint |= OfStatement(ref lexer);
                atStart = lexer.Token is ";";
            }
            else
            {
                taint |= OfWord(lexer.Token);
            }
        }

        return taint;
    }

    // A backslash may be part of U&"...", which can spell any name.
    private static Taint OfWord(ReadOnlySpan<char> word)
        => DirtyWordsSpan.Contains(word) || word.Contains('\\') ? Taint.Dirty
            : UnresettableWordsSpan.Contains(word) ? Taint.Unresettable
            : Taint.None;

    // The lexer stands on the first word; it may move to the second one, which is never the start of a statement.
    private static Taint OfStatement(ref SqlLexer lexer)
    {
        if (HarmlessSpan.Contains(lexer.Token))
        {
            return Taint.None;
        }

        if (lexer.Is("SET"))
        {
            return lexer.Next() && (lexer.Is("LOCAL") || lexer.Is("TRANSACTION") || lexer.Is("CONSTRAINTS")) ? Taint.None : Taint.Dirty;
        }

        if (lexer.Is("ROLLBACK"))
        {
            return lexer.Next() && lexer.Is("TO") ? Taint.None : Taint.Dirty | Taint.OpenTransaction;
        }

        return SettlingSpan.Contains(lexer.Token) ? Taint.Dirty
            : UnresettableSpan.Contains(lexer.Token) ? Taint.Unresettable
            : Taint.Dirty | Taint.OpenTransaction;
    }
}
