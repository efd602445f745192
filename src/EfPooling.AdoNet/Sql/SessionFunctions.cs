namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Functions of PostgreSQL and of well-known extensions that change their session. <c>set_config</c> is missing here, because its
/// effect depends on its arguments.
/// </summary>
internal static class SessionFunctions
{
    private static readonly Dictionary<string, SessionEffects> Effects = Table(
        (SessionEffects.SessionLock,
            """
            pg_advisory_lock pg_advisory_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared pg_advisory_unlock
            pg_advisory_unlock_shared pg_advisory_unlock_all
            """),
        (SessionEffects.SequenceValue, "currval lastval"),
        (SessionEffects.ReplicationState,
            """
            pg_replication_origin_session_setup pg_replication_origin_session_reset pg_create_logical_replication_slot
            pg_create_physical_replication_slot pg_copy_logical_replication_slot pg_copy_physical_replication_slot
            """),
        (SessionEffects.FunctionState,
            """
            setseed set_limit pg_start_backup pg_stop_backup pg_backup_start pg_backup_stop
            dblink_connect dblink_connect_u dblink_disconnect dblink_open dblink_close dblink_send_query
            postgres_fdw_disconnect postgres_fdw_disconnect_all
            hypopg_create_index hypopg_drop_index hypopg_reset hypopg_hide_index hypopg_unhide_index hypopg_unhide_all_indexes
            """),

        // They run the SQL given to them.
        (SessionEffects.Unknown,
            """
            query_to_xml query_to_xmlschema query_to_xml_and_xmlschema ts_stat ts_rewrite
            crosstab crosstab2 crosstab3 crosstab4 crosstabn crosstab_hash connectby xpath_table
            """));

    public static SessionEffects EffectsOf(string name) => Effects.TryGetValue(name, out var effects) ? effects : SessionEffects.None;

    private static Dictionary<string, SessionEffects> Table(params (SessionEffects Effects, string Names)[] rows)
    {
        var table = new Dictionary<string, SessionEffects>(StringComparer.Ordinal);
        foreach (var (effects, names) in rows)
        {
            foreach (var name in names.Split([' ', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries))
            {
                table[name] = effects;
            }
        }

        return table;
    }
}
