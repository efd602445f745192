namespace EfPooling.AdoNet.Sql;

/// <summary>
/// What a catalog asks the server, in one statement, so that all of it is true at one moment. Definitions come as the server prints them.
/// Temporary objects are left out: only texts that are suspect make them.
/// </summary>
/// <remarks>
/// Objects of <c>initdb</c> have ids below 16384 ("System Catalog Initial Data" in the PostgreSQL manual). They come by name only, because what they do is known.
/// </remarks>
internal static class CatalogQuery
{
    /// <summary>
    /// A number that changes with everything that a catalog depends on: which rows there are, and which transaction wrote them.
    /// It costs the server a fraction of what the objects cost. It means the same whatever the search path, so that no object of a user takes part in it.
    /// </summary>
    public const string Version =
        """
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
            UNION ALL SELECT 6, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_attrdef
            UNION ALL SELECT 7, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_constraint
                WHERE contype OPERATOR(pg_catalog.=) ANY ('{c,x,f}'::pg_catalog."char"[])
            UNION ALL SELECT 8, indexrelid, pg_catalog.age(xmin) FROM pg_catalog.pg_index
                WHERE indexrelid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
            UNION ALL SELECT 9, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT 10, inhrelid, pg_catalog.age(xmin) FROM pg_catalog.pg_inherits
            UNION ALL SELECT 11, attrelid, pg_catalog.age(xmin) FROM pg_catalog.pg_attribute
                WHERE (atttypid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid OR attidentity OPERATOR(pg_catalog.<>) ''::pg_catalog."char") AND attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2
            UNION ALL SELECT 12, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_operator WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
            UNION ALL SELECT 13, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_amproc WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
            UNION ALL SELECT 14, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_cast WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid
            UNION ALL SELECT 15, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_namespace
                WHERE oid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid AND nspname OPERATOR(pg_catalog.!~) '^pg_(temp|toast)'::pg_catalog.text
            UNION ALL SELECT 16, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_extension
            UNION ALL SELECT 17, oid, pg_catalog.age(xmin) FROM pg_catalog.pg_statistic_ext
        ) row (kind, id, age)
        """;

    // A function may be declared with these: the server sets them back when it ends, and they change neither how texts are read nor who runs them.
    private const string RestoredSettings =
        "^(search_path|work_mem|statement_timeout|lock_timeout|timezone|TimeZone|datestyle|DateStyle|intervalstyle|IntervalStyle|row_security|client_min_messages|jit|enable_[a-z_]+|plan_cache_mode"
        + "|random_page_cost|default_text_search_config|extra_float_digits|bytea_output|xmloption|lc_[a-z]+|synchronous_commit|constraint_exclusion|max_parallel_workers_per_gather)=";

    /// <summary>kind, id, other id, schema, name, text, flags. To be asked with nothing but pg_catalog on the search path.</summary>
    /// <param name="server">Its version.</param>
    public static string Objects(Version server) =>
        $$"""
        WITH space AS MATERIALIZED (
            SELECT oid, nspname::text AS name FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_(temp|toast)'
        ), relation AS MATERIALIZED (
            SELECT c.oid, s.name AS space, c.relname::text AS name, c.relkind, c.relam, c.relispartition
            FROM pg_catalog.pg_class c JOIN space s ON s.oid = c.relnamespace
            WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
        ), type AS MATERIALIZED (
            SELECT t.* FROM pg_catalog.pg_type t JOIN space s ON s.oid = t.typnamespace WHERE t.oid >= 16384
        ), function AS MATERIALIZED (
            SELECT p.*, s.name AS space FROM pg_catalog.pg_proc p JOIN space s ON s.oid = p.pronamespace WHERE p.oid >= 16384
        )
        SELECT 'built-in', 0::oid, 0::oid, NULL, string_agg(name, ' '), string_agg(name, ' ') FILTER (WHERE is_volatile), 0
        FROM (
            SELECT proname::text AS name, bool_or(provolatile = 'v') AS is_volatile FROM pg_catalog.pg_proc
            WHERE oid < 16384 AND NOT 'internal'::regtype = ANY (proargtypes::oid[]) AND prorettype <> ALL ('{internal,language_handler,index_am_handler,table_am_handler}'::regtype[]::oid[])
            GROUP BY proname) b
        UNION ALL SELECT 'system relation', 0, 0, NULL, string_agg(relname::text, ' '), string_agg(relname::text, ' ') FILTER (WHERE relkind = 'v' AND relnamespace = 'pg_catalog'::regnamespace), 0
            FROM pg_catalog.pg_class WHERE oid < 16384 AND relkind IN ('r', 'v')
        UNION ALL SELECT 'setting class', 0, 0, NULL, string_agg(DISTINCT split_part(name, '.', 1), ' '), NULL, 0 FROM pg_catalog.pg_settings WHERE name LIKE '%.%'
        UNION ALL SELECT 'function', p.oid, 0, p.space, p.proname::text,
                CASE l.lanname WHEN 'sql' THEN {{(server.Major >= 14 ? "coalesce(pg_catalog.pg_get_function_sqlbody(p.oid), p.prosrc)" : "p.prosrc")}} WHEN 'c' THEN NULL ELSE p.prosrc END,
                CASE p.provolatile WHEN 'v' THEN 1 ELSE 0 END
                + CASE WHEN p.pronargs - p.pronargdefaults <= 1 AND EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid = p.proargtypes[0] AND t.typtype IN ('c', 'p')) THEN 2 ELSE 0 END
                + CASE l.lanname WHEN 'sql' THEN 16 WHEN 'plpgsql' THEN 32 WHEN 'c' THEN 48 WHEN 'internal' THEN 64 ELSE 80 END
                + CASE WHEN p.prokind = 'a' THEN 8 ELSE 0 END
                + CASE WHEN EXISTS (SELECT FROM unnest(p.proconfig) setting WHERE setting !~ '{{RestoredSettings}}' OR setting ~* 'pg_temp') THEN 4 ELSE 0 END
            FROM function p
            JOIN pg_catalog.pg_language l ON l.oid = p.prolang
        UNION ALL SELECT 'extension', d.objid, 0, NULL, e.extname::text, NULL, 0
            FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
            WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::regclass
        UNION ALL SELECT 'default argument', p.oid, 0, NULL, NULL, pg_catalog.pg_get_expr(p.proargdefaults, 0), 0 FROM function p WHERE p.proargdefaults IS NOT NULL
        UNION ALL SELECT 'function uses function', a.aggfnoid, f, NULL, NULL, NULL, 0
            FROM pg_catalog.pg_aggregate a, unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]::oid[]) f
            WHERE a.aggfnoid >= 16384 AND f >= 16384
        UNION ALL SELECT 'function uses built-in', a.aggfnoid, 0, NULL, f.proname::text, NULL, 0
            FROM pg_catalog.pg_aggregate a
            JOIN pg_catalog.pg_proc f ON f.oid = ANY (ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]::oid[]) AND f.oid < 16384
            WHERE a.aggfnoid >= 16384
        UNION ALL SELECT 'function uses type', p.oid, t, NULL, NULL, NULL, 0
            FROM function p, unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype) t WHERE t >= 16384
        UNION ALL SELECT 'relation', r.oid, 0, r.space, r.name, NULL, CASE WHEN r.relkind = 'f' THEN 1 ELSE 0 END FROM relation r
        UNION ALL SELECT 'identity', a.attrelid, 0, NULL, NULL, NULL, 0 FROM pg_catalog.pg_attribute a WHERE a.attrelid >= 16384 AND a.attidentity <> ''
        UNION ALL SELECT 'access method', r.oid, a.amhandler, NULL, NULL, NULL, 0 FROM relation r JOIN pg_catalog.pg_am a ON a.oid = r.relam WHERE a.oid >= 16384
        UNION ALL SELECT 'access method', i.indrelid, a.amhandler, NULL, NULL, NULL, 0
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid JOIN pg_catalog.pg_am a ON a.oid = c.relam WHERE a.oid >= 16384
        UNION ALL SELECT 'view', r.oid, 0, NULL, NULL, pg_catalog.pg_get_viewdef(r.oid), 0 FROM relation r WHERE r.relkind = 'v'
        UNION ALL SELECT 'write', w.ev_class, 0, NULL, NULL, pg_catalog.pg_get_ruledef(w.oid), 0
            FROM pg_catalog.pg_rewrite w WHERE w.ev_type <> '1' AND w.ev_class >= 16384
        UNION ALL SELECT 'read', p.polrelid, 0, NULL, NULL, pg_catalog.pg_get_expr(p.polqual, p.polrelid), 0 FROM pg_catalog.pg_policy p WHERE p.polqual IS NOT NULL
        UNION ALL SELECT 'write', p.polrelid, 0, NULL, NULL, pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid), 0
            FROM pg_catalog.pg_policy p WHERE p.polwithcheck IS NOT NULL
        UNION ALL SELECT CASE WHEN a.attgenerated = 'v' THEN 'read' ELSE 'write' END, d.adrelid, 0, NULL, NULL, pg_catalog.pg_get_expr(d.adbin, d.adrelid), 0
            FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid >= 16384
        UNION ALL SELECT 'read', c.conrelid, 0, NULL, NULL, pg_catalog.pg_get_constraintdef(c.oid), 0
            FROM pg_catalog.pg_constraint c WHERE c.conrelid >= 16384 AND c.contype IN ('c', 'x')
        UNION ALL SELECT 'read', i.indrelid, 0, NULL, NULL, concat(pg_catalog.pg_get_expr(i.indexprs, i.indrelid), ' , ', pg_catalog.pg_get_expr(i.indpred, i.indrelid)), 0
            FROM pg_catalog.pg_index i WHERE i.indrelid >= 16384 AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
        UNION ALL SELECT 'read', p.partrelid, 0, NULL, NULL, pg_catalog.pg_get_expr(p.partexprs, p.partrelid), 0
            FROM pg_catalog.pg_partitioned_table p WHERE p.partexprs IS NOT NULL
        UNION ALL SELECT 'write', t.tgrelid, 0, NULL, NULL, pg_catalog.pg_get_triggerdef(t.oid), 0 FROM pg_catalog.pg_trigger t WHERE NOT t.tgisinternal
        UNION ALL SELECT 'inherits', i.inhparent, i.inhrelid, NULL, NULL, NULL, 0 FROM pg_catalog.pg_inherits i
        UNION ALL SELECT 'cascades', c.confrelid, c.conrelid, NULL, NULL, NULL, 0
            FROM pg_catalog.pg_constraint c WHERE c.contype = 'f' AND (c.confupdtype IN ('c', 'n', 'd') OR c.confdeltype IN ('c', 'n', 'd'))
        UNION ALL SELECT 'column', a.attrelid, a.atttypid, NULL, NULL, NULL, 0 FROM pg_catalog.pg_attribute a WHERE a.atttypid >= 16384 AND a.attnum > 0
        UNION ALL SELECT 'type', t.oid, t.typrelid, NULL, t.typname::text, NULL, 0 FROM type t
        UNION ALL SELECT 'type uses type', t.oid, u, NULL, NULL, NULL, 0 FROM type t, unnest(ARRAY[t.typbasetype, t.typelem]) u WHERE u >= 16384
        UNION ALL SELECT 'type uses type', r.rngtypid, r.rngsubtype, NULL, NULL, NULL, 0
            FROM pg_catalog.pg_range r WHERE r.rngtypid >= 16384 AND r.rngsubtype >= 16384
        UNION ALL SELECT 'type uses function', r.rngtypid, f, NULL, NULL, NULL, 0
            FROM pg_catalog.pg_range r, unnest(ARRAY[r.rngcanonical, r.rngsubdiff]::oid[]) f WHERE r.rngtypid >= 16384 AND f >= 16384
        UNION ALL SELECT 'type uses function', t.oid, f, NULL, NULL, NULL, 0
            FROM type t, unnest(ARRAY[t.typinput, t.typoutput, t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze]::oid[]) f WHERE f >= 16384
        UNION ALL SELECT 'type check', c.contypid, 0, NULL, NULL, pg_catalog.pg_get_constraintdef(c.oid), 0
            FROM pg_catalog.pg_constraint c WHERE c.contypid >= 16384 AND c.contype = 'c'
        UNION ALL SELECT 'type check', t.oid, 0, NULL, NULL, t.typdefault, 0 FROM type t WHERE t.typtype = 'd' AND t.typdefault IS NOT NULL
        UNION ALL SELECT 'operator', f, 0, NULL, o.oprname::text, concat_ws(' ', nullif(o.oprleft, 0), nullif(o.oprright, 0)), 0
            FROM pg_catalog.pg_operator o, unnest(ARRAY[o.oprcode, o.oprrest, o.oprjoin]::oid[]) f WHERE o.oid >= 16384 AND f >= 16384
        UNION ALL SELECT 'support', a.amproc, 0, NULL, NULL, concat_ws(' ', a.amproclefttype, a.amprocrighttype), 0
            FROM pg_catalog.pg_amproc a WHERE a.amproc >= 16384
        UNION ALL SELECT 'cast', c.castfunc, 0, NULL, NULL, concat_ws(' ', c.castsource, c.casttarget), 0 FROM pg_catalog.pg_cast c WHERE c.castfunc >= 16384
        UNION ALL SELECT 'keyword', 0, 0, NULL, string_agg(word, ' '), NULL, 0 FROM pg_catalog.pg_get_keywords()
        UNION ALL SELECT 'version', 0, 0, NULL, ({{Version}})::text, NULL, 0
        {{(server.Major >= 14 ? Since14 : "")}}
        """;

    private const string Since14 =
        """
        UNION ALL SELECT 'read', s.stxrelid, 0, NULL, NULL, array_to_string(pg_catalog.pg_get_statisticsobjdef_expressions(s.oid), ' , '), 0
            FROM pg_catalog.pg_statistic_ext s
        UNION ALL SELECT 'type uses type', r.rngmultitypid, r.rngtypid, NULL, NULL, NULL, 0 FROM pg_catalog.pg_range r WHERE r.rngtypid >= 16384
        """;
}
