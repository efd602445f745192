namespace EfPooling.AdoNet.Sql;

/// <summary>
/// What a catalog asks the server. System functions come by name only; of the user's, the source is read too. Names come from the nodes of
/// rules and policies, because the server keeps no dependency on its own functions.
/// </summary>
internal static class CatalogQueries
{
    // Transaction ids are stable to the server. But reads that share a transaction would see the same one.
    private const string IsVolatile = "(p.provolatile = 'v' OR p.proname IN ('pg_current_xact_id', 'pg_current_xact_id_if_assigned', 'txid_current', 'txid_current_if_assigned'))";

    /// <summary>name, volatile. Functions that SQL can call at all.</summary>
    public const string SystemFunctions =
        $$"""
        SELECT proname::text, bool_or({{IsVolatile}})
        FROM pg_catalog.pg_proc p
        WHERE pronamespace = 'pg_catalog'::regnamespace AND prorettype <> ALL ('{internal,trigger,event_trigger}'::regtype[]::oid[])
            AND NOT 'internal'::regtype = ANY (proargtypes::oid[])
        GROUP BY proname
        """;

    /// <summary>schema, name, volatile, language, source, whether it may be called as an attribute, names of what it calls by its definition.</summary>
    public static string UserFunctions(Version server) =>
        $"""
        SELECT n.nspname::text, p.proname::text, p.provolatile = 'v', l.lanname::text,
            CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN {(server.Major >= 14 ? "coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc)" : "p.prosrc")} END,
            EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid = p.proargtypes[0] AND t.typtype IN ('c', 'p')) AND p.pronargs - p.pronargdefaults <= 1,
            ARRAY (SELECT fn.nspname || '.' || f.proname
                FROM pg_catalog.pg_aggregate a
                JOIN pg_catalog.pg_proc f ON f.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn)
                JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
                WHERE a.aggfnoid = p.oid)
        FROM pg_catalog.pg_proc p
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(temp|toast)'
        """;

    /// <summary>schema, name, kind. Partitions count through their parents only.</summary>
    public const string Relations =
        """
        SELECT n.nspname::text, c.relname::text, c.relkind::text
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_(temp|toast)' AND (NOT c.relispartition OR c.relkind = 'f')
        """;

    /// <summary>schema and name of a view, table or domain; schema, name, and whether it is a function, of what using it uses.</summary>
    public const string Uses =
        $"""
        WITH node (owner, text) AS (
            SELECT r.ev_class, r.ev_action::text FROM pg_catalog.pg_rewrite r WHERE r.ev_type = '1' AND r.ev_class >= 16384
            UNION ALL
            SELECT p.polrelid, p.polqual::text FROM pg_catalog.pg_policy p
        ), used (owner, kind, oid) AS (
            SELECT owner, m[1], m[2]::oid
            FROM node, pg_catalog.regexp_matches(text, ':(funcid|opfuncid|aggfnoid|winfnoid|relid) (\d+)', 'g') m
        )
        SELECT on_.nspname::text, o.relname::text, n.nspname::text, c.relname::text, false
        FROM (SELECT owner, oid FROM used WHERE kind = 'relid' UNION SELECT inhparent, inhrelid FROM pg_catalog.pg_inherits) u
        JOIN pg_catalog.pg_class o ON o.oid = u.owner
        JOIN pg_catalog.pg_namespace on_ ON on_.oid = o.relnamespace
        JOIN pg_catalog.pg_class c ON c.oid = u.oid AND c.oid <> o.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND (NOT c.relispartition OR c.relkind = 'f')
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        UNION
        SELECT on_.nspname::text, o.relname::text, n.nspname::text, p.proname::text, true
        FROM (SELECT owner, oid FROM used WHERE kind <> 'relid') u
        JOIN pg_catalog.pg_class o ON o.oid = u.owner
        JOIN pg_catalog.pg_namespace on_ ON on_.oid = o.relnamespace
        JOIN pg_catalog.pg_proc p ON p.oid = u.oid AND ({IsVolatile} OR p.oid >= 16384)
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        UNION
        SELECT tn.nspname::text, t.typname::text, n.nspname::text, p.proname::text, true
        FROM pg_catalog.pg_constraint c
        JOIN pg_catalog.pg_type t ON t.oid = c.contypid
        JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
        CROSS JOIN pg_catalog.regexp_matches(c.conbin::text, ':(?:funcid|opfuncid) (\d+)', 'g') m
        JOIN pg_catalog.pg_proc p ON p.oid = m[1]::oid AND ({IsVolatile} OR p.oid >= 16384)
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        """;

    /// <summary>
    /// schema and name of a table or view; schema, name, and whether it is a function, of what writing to it uses: triggers, defaults, checks,
    /// rules, and tables to which a rule, a partition or a foreign key carries the write.
    /// </summary>
    public const string Writes =
        """
        WITH node (owner, text) AS (
            SELECT r.ev_class, r.ev_action::text || coalesce(r.ev_qual::text, '') FROM pg_catalog.pg_rewrite r WHERE r.ev_type <> '1' AND r.ev_class >= 16384
            UNION ALL
            SELECT d.adrelid, d.adbin::text FROM pg_catalog.pg_attrdef d
            UNION ALL
            SELECT c.conrelid, c.conbin::text FROM pg_catalog.pg_constraint c WHERE c.contype = 'c' AND c.conrelid <> 0
            UNION ALL
            SELECT p.polrelid, p.polwithcheck::text FROM pg_catalog.pg_policy p
            UNION ALL
            SELECT i.indrelid, coalesce(i.indexprs::text, '') || coalesce(i.indpred::text, '') FROM pg_catalog.pg_index i
            UNION ALL
            SELECT t.tgrelid, t.tgqual::text FROM pg_catalog.pg_trigger t
            UNION ALL
            SELECT a.attrelid, coalesce(c.conbin::text, '') || coalesce(t.typdefaultbin::text, '')
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typtype = 'd'
            LEFT JOIN pg_catalog.pg_constraint c ON c.contypid = t.oid
        ), used (owner, kind, oid) AS (
            SELECT owner, m[1], m[2]::oid
            FROM node, pg_catalog.regexp_matches(text, ':(funcid|opfuncid|aggfnoid|winfnoid|relid) (\d+)', 'g') m
        )
        SELECT on_.nspname::text, o.relname::text, n.nspname::text, p.proname::text, true
        FROM (SELECT owner, oid FROM used WHERE kind <> 'relid' UNION SELECT tgrelid, tgfoid FROM pg_catalog.pg_trigger) u
        JOIN pg_catalog.pg_class o ON o.oid = u.owner
        JOIN pg_catalog.pg_namespace on_ ON on_.oid = o.relnamespace
        JOIN pg_catalog.pg_proc p ON p.oid = u.oid AND (p.provolatile = 'v' OR p.oid >= 16384)
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        UNION
        SELECT on_.nspname::text, o.relname::text, n.nspname::text, c.relname::text, false
        FROM (
            SELECT owner, oid FROM used WHERE kind = 'relid'
            UNION
            SELECT inhparent, inhrelid FROM pg_catalog.pg_inherits
            UNION
            SELECT confrelid, conrelid FROM pg_catalog.pg_constraint WHERE contype = 'f' AND (confupdtype IN ('c', 'n', 'd') OR confdeltype IN ('c', 'n', 'd'))
        ) u
        JOIN pg_catalog.pg_class o ON o.oid = u.owner
        JOIN pg_catalog.pg_namespace on_ ON on_.oid = o.relnamespace
        JOIN pg_catalog.pg_class c ON c.oid = u.oid AND c.oid <> o.oid AND c.relkind IN ('r', 'p', 'v', 'f')
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        """;

    /// <summary>name, and schema and name of its function.</summary>
    public const string Operators =
        """
        SELECT o.oprname::text, n.nspname::text, p.proname::text
        FROM pg_catalog.pg_operator o
        JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE p.oid >= 16384 AND p.provolatile <> 'i'
        """;
}
