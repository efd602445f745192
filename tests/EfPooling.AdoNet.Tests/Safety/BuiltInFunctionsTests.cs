using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet.Tests.Safety;

/// <summary>The list of PostgreSQL's harmless functions, against the server that the tests run on.</summary>
public sealed class BuiltInFunctionsTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Callable =
        """
        SELECT string_agg(DISTINCT proname::text, ' ') FROM pg_proc
        WHERE oid < 16384 AND NOT 'internal'::regtype = ANY (proargtypes::oid[])
            AND prorettype <> ALL ('{internal,language_handler,index_am_handler,table_am_handler}'::regtype[]::oid[])
        """;

    // Reviewed, and not harmless: they change the session, run SQL or read relations given to them, run the expressions of an index, or serve upgrades.
    private const string Suspects =
        """
        any_in anyarray_in anycompatiblemultirange_in anycompatiblerange_in anymultirange_in anyrange_in array_in domain_in multirange_in pg_input_error_info pg_input_is_valid range_in record_in satisfies_hash_partition
        binary_upgrade_add_sub_rel_state binary_upgrade_create_empty_extension binary_upgrade_logical_slot_has_caught_up binary_upgrade_replorigin_advance
        binary_upgrade_set_missing_value binary_upgrade_set_next_array_pg_type_oid binary_upgrade_set_next_heap_pg_class_oid
        binary_upgrade_set_next_heap_relfilenode binary_upgrade_set_next_index_pg_class_oid binary_upgrade_set_next_index_relfilenode
        binary_upgrade_set_next_multirange_array_pg_type_oid binary_upgrade_set_next_multirange_pg_type_oid binary_upgrade_set_next_pg_authid_oid
        binary_upgrade_set_next_pg_enum_oid binary_upgrade_set_next_pg_tablespace_oid binary_upgrade_set_next_pg_type_oid
        binary_upgrade_set_next_toast_pg_class_oid binary_upgrade_set_next_toast_relfilenode binary_upgrade_set_record_init_privs brin_desummarize_range
        brin_summarize_new_values brin_summarize_range currtid2 cursor_to_xml cursor_to_xmlschema database_to_xml database_to_xml_and_xmlschema
        database_to_xmlschema gin_clean_pending_list pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_all
        pg_advisory_unlock_shared pg_backup_start pg_backup_stop pg_clear_attribute_stats pg_clear_relation_stats pg_copy_logical_replication_slot
        pg_copy_physical_replication_slot pg_create_logical_replication_slot pg_create_physical_replication_slot pg_drop_replication_slot
        pg_extension_config_dump pg_import_system_collations pg_logical_slot_get_binary_changes pg_logical_slot_get_changes
        pg_logical_slot_peek_binary_changes pg_logical_slot_peek_changes pg_nextoid pg_promote pg_reload_conf pg_replication_origin_advance
        pg_replication_origin_create pg_replication_origin_drop pg_replication_origin_oid pg_replication_origin_progress
        pg_replication_origin_session_is_setup pg_replication_origin_session_progress pg_replication_origin_session_reset pg_replication_origin_session_setup
        pg_replication_origin_xact_reset pg_replication_origin_xact_setup pg_replication_slot_advance pg_restore_attribute_stats pg_restore_relation_stats
        pg_start_backup pg_stat_reset_replication_slot pg_stop_backup pg_stop_making_pinned_objects pg_sync_replication_slots pg_try_advisory_lock
        pg_try_advisory_lock_shared plpgsql_validator query_to_xml query_to_xml_and_xmlschema query_to_xmlschema schema_to_xml schema_to_xml_and_xmlschema
        schema_to_xmlschema set_config setseed table_to_xml table_to_xml_and_xmlschema table_to_xmlschema ts_rewrite ts_stat
        """;

    [Fact]
    public async Task EveryFunctionOfTheServer_HasBeenReviewed()
    {
        var callable = (await AskPlainAsync<string>(Callable)).Split(' ');
        Assert.Empty(callable.Except(BuiltInFunctions.Harmless).Except(Suspects.Split([' ', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public void NoFunction_IsBothHarmlessAndSuspect()
        => Assert.Empty(BuiltInFunctions.Harmless.Intersect(Suspects.Split([' ', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries)));

    [Theory]
    [InlineData("operators", "SELECT string_agg(DISTINCT p.proname::text, ' ') FROM pg_operator o JOIN pg_proc p ON p.oid IN (o.oprcode, o.oprrest, o.oprjoin) WHERE o.oid < 16384 AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])")]
    [InlineData("casts", "SELECT string_agg(DISTINCT p.proname::text, ' ') FROM pg_cast c JOIN pg_proc p ON p.oid = c.castfunc WHERE c.oid < 16384")]
    [InlineData("types", "SELECT string_agg(DISTINCT p.proname::text, ' ') FROM pg_type t JOIN pg_proc p ON p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout) WHERE t.oid < 16384 AND t.typtype <> 'p' AND p.proname !~ '^(array|domain|multirange|range|record)_(in|recv)$' AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])")]
    [InlineData("operator classes", "SELECT string_agg(DISTINCT p.proname::text, ' ') FROM pg_amproc a JOIN pg_proc p ON p.oid = a.amproc WHERE a.oid < 16384 AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])")]
    public async Task FunctionsBehindTheServersOwnOperatorsCastsAndTypes_AreHarmless(string kind, string sql)
    {
        Assert.NotEmpty(kind);
        Assert.Empty((await AskPlainAsync<string>(sql)).Split(' ').Except(BuiltInFunctions.Harmless));
    }

    [Theory, InlineData("set_config"), InlineData("setseed"), InlineData("pg_advisory_lock"), InlineData("query_to_xml"), InlineData("table_to_xml"), InlineData("ts_stat"), InlineData("no_such_function")]
    public void FunctionThatReachesTheSession_IsNotHarmless(string name) => Assert.DoesNotContain(name, BuiltInFunctions.Harmless);
}
