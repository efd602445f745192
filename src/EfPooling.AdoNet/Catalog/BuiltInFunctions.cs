namespace EfPooling.AdoNet.Sql;

/// <summary>
/// PostgreSQL's functions by name. The harmless ones were reviewed (HarmlessFunctions.txt); all other functions of a server are
/// suspect.
/// </summary>
internal static class BuiltInFunctions
{
    private static readonly string[] SeeSharing = ["txid_current", "txid_current_if_assigned", "pg_current_xact_id", "pg_current_xact_id_if_assigned"];
    private static readonly string[] Advance = ["nextval", "setval"];

    // Volatile to the server, but they write nothing.
    private static readonly HashSet<string> OnlyRead = new(
        ("array_sample array_shuffle clock_timestamp current_query currval gen_random_uuid lastval pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_blocking_pids pg_collation_actual_version "
            + "pg_current_logfile pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn pg_database_size pg_indexes_size pg_is_in_recovery pg_is_wal_replay_paused "
            + "pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_lock_status pg_partition_ancestors pg_partition_tree pg_relation_size pg_sleep pg_sleep_for "
            + "pg_sleep_until pg_table_size pg_tablespace_size pg_total_relation_size pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared random random_normal timeofday uuidv4 uuidv7").Split(' '),
        StringComparer.Ordinal);

    /// <summary>Names of functions that leave nothing in the session, whatever their arguments.</summary>
    public static IReadOnlySet<string> Harmless { get; } = Read();

    /// <param name="name">The name of a built-in function.</param>
    /// <param name="isVolatile">Whether a function of that name is volatile to the server.</param>
    public static CatalogFlags FlagsOf(string name, bool isVolatile)
        => (Harmless.Contains(name) ? CatalogFlags.None : CatalogFlags.Suspect)
            | (isVolatile || SeeSharing.Contains(name) ? CatalogFlags.Volatile : CatalogFlags.None)
            | ((isVolatile && !OnlyRead.Contains(name)) || !Harmless.Contains(name) ? CatalogFlags.Writes : CatalogFlags.None)
            | (Advance.Contains(name) ? CatalogFlags.Advances : CatalogFlags.None);

    private static HashSet<string> Read()
    {
        using var resource = typeof(BuiltInFunctions).Assembly.GetManifestResourceStream("EfPooling.AdoNet.Catalog.HarmlessFunctions.txt")!;
        using var reader = new StreamReader(resource);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
            {
                names.UnionWith(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }

        return names;
    }
}
