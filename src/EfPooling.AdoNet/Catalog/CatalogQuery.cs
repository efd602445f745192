namespace EfPooling.AdoNet.Sql;

/// <summary>
/// What a catalog asks the server, in one statement, so that all answers are true at one moment. Definitions come as the server
/// prints them. Temporary objects are left out, because only suspect texts create them.
/// </summary>
/// <remarks>
/// Objects of <c>initdb</c> have ids below 16384 ("System Catalog Initial Data" in the PostgreSQL manual). Their names suffice,
/// because their effects are known.
/// </remarks>
internal static class CatalogQuery
{
    /// <summary>
    /// A number that changes with everything that a catalog depends on: which rows exist, and which transaction wrote them.
    /// Temporary tables of other sessions do not count. It costs the server a fraction of the objects' cost. It means the same
    /// with any search path, so no user's object takes part in it.
    /// </summary>
    public const string Version =
        """
        WITH temporary AS MATERIALIZED (SELECT oid FROM pg_catalog.pg_class WHERE relpersistence OPERATOR(pg_catalog.=) 't'::pg_catalog."char")
        SELECT pg_catalog.int8xor(pg_catalog.count(*), coalesce(pg_catalog.sum(pg_catalog.hashint8(pg_catalog.int8xor(
            pg_catalog.int8xor(pg_catalog.int8shl(kind::pg_catalog.int8, 56), pg_catalog.int8shl(id::pg_catalog.int8, 24)),
            pg_catalog.int8mi(age::pg_catalog.int8, pg_catalog.age('3'::pg_catalog.xid)::pg_catalog.int8)))), 0)::pg_catalog.int8)
        FROM (
            SELECT 1, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_class
                WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f,S}'::pg_catalog."char"[]) AND relpersistence OPERATOR(pg_catalog.<>) 't'::pg_catalog."char"
            UNION ALL SELECT 2, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_proc WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
            UNION ALL SELECT 3, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_type
                WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND typtype OPERATOR(pg_catalog.=) ANY ('{b,d,r,m}'::pg_catalog."char"[]) AND typcategory OPERATOR(pg_catalog.<>) 'A'::pg_catalog."char"
            UNION ALL SELECT 4, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_rewrite WHERE ev_class OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
            UNION ALL SELECT 5, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_policy
            UNION ALL SELECT 6, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_attrdef WHERE NOT EXISTS (SELECT FROM temporary t WHERE t.oid OPERATOR(pg_catalog.=) adrelid)
            UNION ALL SELECT 7, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_constraint
                WHERE contype OPERATOR(pg_catalog.=) ANY ('{c,x,f}'::pg_catalog."char"[]) AND NOT EXISTS (SELECT FROM temporary t WHERE t.oid OPERATOR(pg_catalog.=) conrelid)
            UNION ALL SELECT 8, indexrelid, pg_catalog.age(xmin) FROM pg_catalog.pg_index
                WHERE indexrelid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND NOT EXISTS (SELECT FROM temporary t WHERE t.oid OPERATOR(pg_catalog.=) indrelid)
            UNION ALL SELECT 9, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND NOT EXISTS (SELECT FROM temporary t WHERE t.oid OPERATOR(pg_catalog.=) tgrelid)
            UNION ALL SELECT 10, inhrelid, pg_catalog.age(xmin) FROM pg_catalog.pg_inherits WHERE NOT EXISTS (SELECT FROM temporary t WHERE t.oid OPERATOR(pg_catalog.=) inhrelid)
            UNION ALL SELECT 11, attrelid, pg_catalog.age(xmin) FROM pg_catalog.pg_attribute
                WHERE (atttypid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid OR attidentity OPERATOR(pg_catalog.<>) ''::pg_catalog."char") AND attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT EXISTS (SELECT FROM temporary t WHERE t.oid OPERATOR(pg_catalog.=) attrelid)
            UNION ALL SELECT 12, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_operator WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
            UNION ALL SELECT 13, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_amproc WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
            UNION ALL SELECT 14, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_cast WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
            UNION ALL SELECT 15, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_namespace
                WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND nspname OPERATOR(pg_catalog.!~) '^pg_(temp|toast)'::pg_catalog.text
            UNION ALL SELECT 16, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_extension
            UNION ALL SELECT 17, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_statistic_ext
        ) row (kind, id, age)
        """;

    // A function may be declared with these. The server restores them at its end, and they change neither how texts are read nor
    // as which user they run.
    private const string RestoredSettings =
        "^(search_path|work_mem|statement_timeout|lock_timeout|timezone|TimeZone|datestyle|DateStyle|intervalstyle|IntervalStyle|row_security|client_min_messages|jit|enable_[a-z_]+|plan_cache_mode"
        + "|random_page_cost|default_text_search_config|extra_float_digits|bytea_output|xmloption|lc_[a-z]+|synchronous_commit|constraint_exclusion|max_parallel_workers_per_gather)=";

    /// <summary>kind, id, other id, schema, name, text, flags. Must be asked with only pg_catalog on the search path.</summary>
    /// <remarks>
    /// The uses of definitions come from their trees and from the server's own record of dependencies. Nothing is printed as SQL,
    /// because that would wait for the locks of a session that is changing a table.
    /// </remarks>
    /// <param name="server">The server's version.</param>
    public static string Objects(Version server) =>
        $$"""
        WITH space AS MATERIALIZED (
            SELECT oid, nspname::text AS name FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)'
        ), relation AS MATERIALIZED (
            SELECT c.oid, s.name AS space, c.relname::text AS name, c.relkind, c.relam
            FROM pg_class c JOIN space s ON s.oid = c.relnamespace
            WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        ), type AS MATERIALIZED (
            SELECT t.* FROM pg_type t JOIN space s ON s.oid = t.typnamespace WHERE t.oid >= 16384
        ), function AS MATERIALIZED (
            SELECT p.*, s.name AS space FROM pg_proc p JOIN space s ON s.oid = p.pronamespace WHERE p.oid >= 16384
        ), node (kind, owner, class, id, text) AS MATERIALIZED (
            SELECT CASE WHEN w.ev_type = '1' THEN 'view' ELSE 'write' END, w.ev_class, 'pg_rewrite'::regclass::oid, w.oid, concat(w.ev_action, w.ev_qual)
            FROM pg_rewrite w JOIN relation r ON r.oid = w.ev_class AND (w.ev_type <> '1' OR r.relkind = 'v')
            UNION ALL SELECT 'read', polrelid, 'pg_policy'::regclass, oid, polqual::text FROM pg_policy
            UNION ALL SELECT 'write', polrelid, 'pg_policy'::regclass, oid, polwithcheck::text FROM pg_policy
            UNION ALL SELECT CASE WHEN a.attgenerated = 'v' THEN 'read' ELSE 'write' END, d.adrelid, 'pg_attrdef'::regclass, d.oid, d.adbin::text
            FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid >= 16384
            UNION ALL SELECT CASE WHEN contypid <> 0 THEN 'type' ELSE 'read' END, CASE WHEN contypid <> 0 THEN contypid ELSE conrelid END, 'pg_constraint'::regclass, oid, conbin::text
            FROM pg_constraint WHERE contype IN ('c', 'x') AND oid >= 16384
            UNION ALL SELECT 'read', indrelid, 'pg_class'::regclass, indexrelid, concat(indexprs, indpred)
            FROM pg_index WHERE indrelid >= 16384 AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
            UNION ALL SELECT 'read', partrelid, 'pg_class'::regclass, partrelid, partexprs::text FROM pg_partitioned_table
            UNION ALL SELECT 'write', tgrelid, 'pg_trigger'::regclass, oid, tgqual::text FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT 'function', oid, 'pg_proc'::regclass, oid, concat(proargdefaults, {{(server.Major >= 14 ? "prosqlbody" : "NULL")}}) FROM function
            {{(server.Major >= 14 ? "UNION ALL SELECT 'read', stxrelid, 'pg_statistic_ext'::regclass, oid, stxexprs::text FROM pg_statistic_ext" : "")}}
        ), used (kind, owner, function) AS MATERIALIZED (
            SELECT DISTINCT kind, owner, m[1]::oid FROM node, regexp_matches(text, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') m
        ), system_relation (kind, owner, relation) AS MATERIALIZED (
            SELECT DISTINCT kind, owner, m[1]::oid FROM node, regexp_matches(text, ':relid (\d+)', 'g') m WHERE kind IN ('view', 'write', 'function') AND m[1]::oid < 16384
        ), dependency (kind, owner, class, id) AS MATERIALIZED (
            SELECT DISTINCT n.kind, n.owner, d.refclassid, d.refobjid FROM node n JOIN pg_depend d ON d.classid = n.class AND d.objid = n.id AND d.refobjid >= 16384
        )
        SELECT 'built-in', 0::oid, 0::oid, NULL, string_agg(name, ' '), string_agg(name, ' ') FILTER (WHERE is_volatile), 0
        FROM (
            SELECT proname::text AS name, bool_or(provolatile = 'v') AS is_volatile FROM pg_proc
            WHERE oid < 16384 AND NOT 'internal'::regtype = ANY (proargtypes::oid[])
                AND prorettype <> ALL ('{internal,language_handler,index_am_handler,table_am_handler}'::regtype[]::oid[])
            GROUP BY proname) b
        UNION ALL SELECT 'system relations', 0, 0, NULL, string_agg(relname::text, ' '),
                string_agg(relname::text, ' ') FILTER (WHERE relkind = 'v' AND relnamespace = 'pg_catalog'::regnamespace), 0
            FROM pg_class WHERE oid < 16384 AND relkind IN ('r', 'v')
        UNION ALL SELECT 'setting class', 0, 0, NULL, string_agg(DISTINCT split_part(name, '.', 1), ' '), NULL, 0 FROM pg_settings WHERE name LIKE '%.%'
        UNION ALL SELECT 'keyword', 0, 0, NULL, string_agg(word, ' '), NULL, 0 FROM pg_get_keywords()
        UNION ALL SELECT 'version', 0, 0, NULL, ({{Version}})::text, NULL, 0
        UNION ALL SELECT 'function', p.oid, 0, p.space, p.proname::text,
                CASE WHEN l.lanname <> 'c' {{(server.Major >= 14 ? "AND p.prosqlbody IS NULL" : "")}} THEN p.prosrc END,
                CASE p.provolatile WHEN 'v' THEN 1 ELSE 0 END
                + CASE WHEN p.pronargs - p.pronargdefaults <= 1 AND EXISTS (SELECT FROM pg_type t WHERE t.oid = p.proargtypes[0] AND t.typtype IN ('c', 'p')) THEN 2 ELSE 0 END
                + CASE l.lanname WHEN 'sql' THEN 16 WHEN 'plpgsql' THEN 32 WHEN 'c' THEN 48 WHEN 'internal' THEN 64 ELSE 80 END
                + CASE WHEN p.prokind = 'a' THEN 8 ELSE 0 END
                + CASE WHEN EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting !~ '{{RestoredSettings}}' OR setting ~* 'pg_temp') THEN 4 ELSE 0 END
            FROM function p JOIN pg_language l ON l.oid = p.prolang
        UNION ALL SELECT 'extension', d.objid, 0, NULL, e.extname::text, NULL, 0
            FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
        UNION ALL SELECT 'relation', oid, 0, space, name, NULL, CASE WHEN relkind = 'f' THEN 1 ELSE 0 END FROM relation
        UNION ALL SELECT 'type', oid, typrelid, NULL, typname::text, NULL, 0 FROM type
        UNION ALL SELECT 'identity', attrelid, 0, NULL, NULL, NULL, 0 FROM pg_attribute WHERE attrelid >= 16384 AND attidentity <> ''
        UNION ALL SELECT 'inherits', inhparent, inhrelid, NULL, NULL, NULL, 0 FROM pg_inherits
        UNION ALL SELECT 'cascades', confrelid, conrelid, NULL, NULL, NULL, 0
            FROM pg_constraint WHERE contype = 'f' AND (confupdtype IN ('c', 'n', 'd') OR confdeltype IN ('c', 'n', 'd'))
        UNION ALL SELECT kind || ' uses built-in', owner, 0, NULL, string_agg(DISTINCT p.proname::text, ' '), NULL, 0
            FROM used JOIN pg_proc p ON p.oid = used.function AND p.oid < 16384 GROUP BY kind, owner
        UNION ALL SELECT kind || ' uses system relation', owner, 0, NULL, string_agg(DISTINCT c.relname::text, ' '), NULL, 0
            FROM system_relation s JOIN pg_class c ON c.oid = s.relation GROUP BY kind, owner
        UNION ALL SELECT kind || ' uses function', owner, function, NULL, NULL, NULL, 0 FROM used WHERE function >= 16384
        UNION ALL SELECT kind || ' uses function', owner, id, NULL, NULL, NULL, 0 FROM dependency WHERE class = 'pg_proc'::regclass
        UNION ALL SELECT kind || ' uses function', owner, o.oprcode, NULL, NULL, NULL, 0
            FROM dependency d JOIN pg_operator o ON o.oid = d.id WHERE d.class = 'pg_operator'::regclass AND o.oprcode >= 16384
        UNION ALL SELECT kind || ' uses type', owner, id, NULL, NULL, NULL, 0 FROM dependency WHERE class = 'pg_type'::regclass
        UNION ALL SELECT kind || ' uses relation', owner, id, NULL, NULL, NULL, 0 FROM dependency WHERE class = 'pg_class'::regclass
        UNION ALL SELECT 'function uses function', a.aggfnoid, f, NULL, NULL, NULL, 0
            FROM pg_aggregate a,
                unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]::oid[]) f
            WHERE a.aggfnoid >= 16384 AND f >= 16384
        UNION ALL SELECT 'function uses built-in', a.aggfnoid, 0, NULL, f.proname::text, NULL, 0
            FROM pg_aggregate a
            JOIN pg_proc f ON f.oid < 16384
                AND f.oid = ANY (ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]::oid[])
            WHERE a.aggfnoid >= 16384
        UNION ALL SELECT 'function uses type', p.oid, t, NULL, NULL, NULL, 0
            FROM function p, unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype) t WHERE t >= 16384
        UNION ALL SELECT 'read uses function', r.oid, a.amhandler, NULL, NULL, NULL, 0 FROM relation r JOIN pg_am a ON a.oid = r.relam WHERE a.oid >= 16384
        UNION ALL SELECT 'read uses function', i.indrelid, a.amhandler, NULL, NULL, NULL, 0
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam WHERE a.oid >= 16384
        UNION ALL SELECT 'read uses type', attrelid, atttypid, NULL, NULL, NULL, 0 FROM pg_attribute WHERE atttypid >= 16384 AND attnum > 0
        UNION ALL SELECT 'type uses type', t.oid, u, NULL, NULL, NULL, 0 FROM type t, unnest(ARRAY[t.typbasetype, t.typelem]) u WHERE u >= 16384
        UNION ALL SELECT 'type uses type', rngtypid, rngsubtype, NULL, NULL, NULL, 0 FROM pg_range WHERE rngtypid >= 16384 AND rngsubtype >= 16384
        {{(server.Major >= 14 ? "UNION ALL SELECT 'type uses type', rngmultitypid, rngtypid, NULL, NULL, NULL, 0 FROM pg_range WHERE rngtypid >= 16384" : "")}}
        UNION ALL SELECT 'type uses function', rngtypid, f, NULL, NULL, NULL, 0 FROM pg_range, unnest(ARRAY[rngcanonical, rngsubdiff]::oid[]) f WHERE rngtypid >= 16384 AND f >= 16384
        UNION ALL SELECT 'type uses function', t.oid, f, NULL, NULL, NULL, 0
            FROM type t, unnest(ARRAY[t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze]::oid[]) f WHERE f >= 16384
        UNION ALL SELECT 'type default', oid, 0, NULL, NULL, typdefault, 0 FROM type WHERE typtype = 'd' AND typdefault IS NOT NULL
        UNION ALL SELECT 'operator', f, 0, NULL, o.oprname::text, concat_ws(' ', nullif(o.oprleft, 0), nullif(o.oprright, 0)), 0
            FROM pg_operator o, unnest(ARRAY[o.oprcode, o.oprrest, o.oprjoin]::oid[]) f WHERE o.oid >= 16384 AND f >= 16384
        UNION ALL SELECT 'support', amproc, 0, NULL, NULL, concat_ws(' ', amproclefttype, amprocrighttype), 0 FROM pg_amproc WHERE amproc >= 16384
        UNION ALL SELECT 'cast', castfunc, 0, NULL, NULL, concat_ws(' ', castsource, casttarget), 0 FROM pg_cast WHERE castfunc >= 16384
        """;
}
