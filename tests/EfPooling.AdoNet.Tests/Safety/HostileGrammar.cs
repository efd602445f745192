namespace EfPooling.AdoNet.Tests.Safety;

/// <summary>
/// Texts at random, from a grammar that knows functions of one's own (volatile, stable, falsely immutable, with defaults), operators, domains, casts, views, policies, triggers, odd spellings of
/// names and constants, and PL/pgSQL; some of them with a token more or less.
/// </summary>
internal sealed class HostileGrammar(Random random)
{
    /// <summary>What the texts refer to.</summary>
    public const string Schema =
        """
        DROP SCHEMA public CASCADE; CREATE SCHEMA public;
        DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'adversary_role') THEN CREATE ROLE adversary_role; END IF; END $$;
        GRANT ALL ON SCHEMA public TO adversary_role;
        CREATE TABLE t(a int, b text); INSERT INTO t SELECT g, 'x' FROM generate_series(1,5) g; GRANT ALL ON t TO adversary_role;
        CREATE SEQUENCE sq;
        CREATE FUNCTION leak() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN PERFORM set_config('app.x','leak',false); RETURN 1; END $f$;
        CREATE FUNCTION leak_sql() RETURNS int LANGUAGE sql AS $f$ SELECT length(set_config('app.y','leak',false)) $f$;
        CREATE FUNCTION leak_dyn(q text) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN EXECUTE q; RETURN 1; END $f$;
        CREATE FUNCTION leak_if(n int) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN IF n > 0 THEN SET work_mem = '9MB'; ELSE PERFORM 1; END IF; CASE n WHEN 1 THEN PERFORM pg_advisory_lock(5); ELSE SET app.x = 'leak'; END CASE; RETURN n; END $f$;
        CREATE FUNCTION leak_imm() RETURNS int IMMUTABLE LANGUAGE plpgsql AS $f$ BEGIN PERFORM set_config('app.x','leak',false); RETURN 1; END $f$;
        CREATE FUNCTION leak_atomic() RETURNS int RETURN length(set_config('app.x','leak',false));
        CREATE FUNCTION leak_set() RETURNS int LANGUAGE plpgsql SET work_mem = '8MB' AS $f$ BEGIN SET work_mem = '9MB'; RETURN 1; END $f$;
        CREATE FUNCTION leak_row(t) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN PERFORM leak(); RETURN 1; END $f$;
        CREATE FUNCTION pure(n int) RETURNS int STABLE LANGUAGE sql AS $f$ SELECT n + 1 $f$;
        CREATE FUNCTION pure_default(n int DEFAULT 1) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $f$ BEGIN RETURN n; END $f$;
        CREATE FUNCTION quiet(n int) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN UPDATE t AS u SET b = 'y' WHERE a = n; RETURN n; END $f$;
        CREATE FUNCTION default_leak(n int DEFAULT leak()) RETURNS int IMMUTABLE LANGUAGE sql AS $f$ SELECT n $f$;
        CREATE PROCEDURE leak_proc() LANGUAGE plpgsql AS $f$ BEGIN PERFORM leak(); END $f$;
        CREATE VIEW leak_view AS SELECT leak() AS a;
        CREATE VIEW lock_view AS SELECT pg_try_advisory_lock(7) AS a;
        CREATE VIEW deep_view AS SELECT * FROM (SELECT a FROM leak_view) s;
        CREATE DOMAIN leak_dom AS int CHECK (leak() > 0);
        CREATE DOMAIN deep_dom AS leak_dom;
        CREATE TYPE leak_comp AS (a deep_dom);
        CREATE TABLE deep_table(a int, b deep_dom);
        CREATE TYPE leak_cast AS (a int);
        CREATE FUNCTION to_leak_cast(int) RETURNS leak_cast LANGUAGE plpgsql AS $f$ BEGIN PERFORM leak(); RETURN ROW(1)::leak_cast; END $f$;
        CREATE CAST (int AS leak_cast) WITH FUNCTION to_leak_cast(int);
        CREATE TABLE guarded(a int); INSERT INTO guarded VALUES (1); GRANT ALL ON guarded TO adversary_role;
        ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; ALTER TABLE guarded FORCE ROW LEVEL SECURITY; CREATE POLICY p ON guarded USING (leak() = 1);
        CREATE TABLE trig(a int); CREATE FUNCTION tg() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM leak(); RETURN NEW; END $f$;
        CREATE TRIGGER g BEFORE INSERT OR UPDATE OR DELETE ON trig FOR EACH ROW EXECUTE FUNCTION tg();
        CREATE TABLE dflt(a int, b int DEFAULT leak());
        CREATE FUNCTION lop(int,int) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN PERFORM leak(); RETURN 1; END $f$;
        CREATE OPERATOR %% (LEFTARG=int,RIGHTARG=int,FUNCTION=lop);
        CREATE FUNCTION lsf(int,int) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN PERFORM leak(); RETURN 1; END $f$;
        CREATE AGGREGATE leak_agg(int) (SFUNC=lsf, STYPE=int, INITCOND='0');
        """;

    private T Any<T>(params T[] all) => all[random.Next(all.Length)];

    private bool Chance(double p) => random.NextDouble() < p;

    // Blank and comments between tokens, as odd as may be.
    private string Gap() => random.Next(14) switch
    {
        0 => "\n", 1 => "\t", 2 => "/* ' */", 3 => "/* /* \" */ */", 4 => " -- it's; SET x\n", 5 => "\r\n", 6 => "/**/", 7 => "/*$$*/", 8 => "\f ", _ => " ",
    };

    private string Name(string plain) => random.Next(9) switch
    {
        0 => plain.ToUpperInvariant(),
        1 => $"\"{plain}\"",
        2 => $"U&\"{Escape(plain, '\\')}\"",
        3 => $"U&\"{Escape(plain, '!')}\"{Gap()}UESCAPE{Gap()}'!'",
        4 => char.ToUpperInvariant(plain[0]) + plain[1..],
        _ => plain,
    };

    private string Escape(string plain, char escape)
    {
        var i = random.Next(plain.Length);
        return plain[..i] + (Chance(0.5) ? $"{escape}{(int)plain[i]:x4}" : $"{escape}+{(int)plain[i]:X6}") + plain[(i + 1)..];
    }

    private string Text(string value) => random.Next(7) switch
    {
        0 => $"E'{value}'", 1 => $"$${value}$$", 2 => $"$q${value}$q$", 3 => $"N'{value}'", 4 => $"U&'{value}'", 5 => $"'{value}'::text", _ => $"'{value}'",
    };

    private string Call(string schema, string function, string arguments) => (Chance(0.2) ? Name(schema) + "." : "") + Name(function) + Gap() + "(" + arguments + ")";

    private string Effect() => random.Next(34) switch
    {
        0 or 1 or 2 => Call("pg_catalog", "set_config", $"{Text(Any("app.x", "app.y", "work_mem", "custom.x"))},{Text("9")},{Any("false", "FALSE", "'f'", "NOT true", "1=2", "true", "TRUE", "'on'")}"),
        3 => Call("pg_catalog", "set_config", $"{Text("role")},{Text("adversary_role")},{Any("false", "true")}"),
        4 => Call("pg_catalog", "pg_advisory_lock", $"{random.Next(9)}"),
        5 => Call("pg_catalog", "pg_advisory_xact_lock", "3"),
        6 => Call("pg_catalog", "setseed", "0.42"),
        7 => Call("public", "leak", ""),
        8 => Call("public", "leak_sql", ""),
        9 => Call("public", "leak_dyn", Text(Any("SET work_mem = \"9MB\"", "SELECT pg_advisory_lock(6)", "LISTEN ch", "CREATE TEMP TABLE IF NOT EXISTS tmp1(a int)", "SET ROLE adversary_role"))),
        10 => Call("public", "leak_if", Any("0", "1", "-1")),
        11 => Call("public", "leak_imm", ""),
        12 => Call("public", "leak_atomic", ""),
        13 => Call("public", "leak_set", ""),
        14 => $"(SELECT {Name("a")} FROM {Name(Any("leak_view", "deep_view"))} LIMIT 1)",
        15 => $"(SELECT r.leak_row FROM t r LIMIT 1)",
        16 => $"{Any("1::leak_dom", "CAST(1 AS leak_dom)", "1::public.\"leak_dom\"", "'{1}'::leak_dom[]")}",
        17 => "(1 %% 2)",
        18 => Call("public", "leak_agg", "1"),
        19 => $"(SELECT leak_row(t) FROM t LIMIT 1)",
        20 => Call("pg_catalog", "pg_notify", "'ch','x'"),
        21 => Call("pg_catalog", "nextval", "'sq'"),
        22 => Call("pg_catalog", "query_to_xml", "'SELECT leak()',true,false,''"),
        23 => Call("public", Any("pure", "pure_default", "quiet"), Any("1", "2")),
        24 => Call("pg_catalog", "pg_try_advisory_lock_shared", "8"),
        25 => Any("point(1,1) IN (point(1,1))", "CASE point(1,1) WHEN point(1,1) THEN 1 END", "point(1,1) IS DISTINCT FROM point(2,1)", "(ROW(1)::leak_comp)::text", "ARRAY[1]::deep_dom[]"),
        26 => Any("1::leak_cast", "CAST(1 AS leak_cast)", "leak_cast(1)", "('(1)'::leak_cast).a"),
        27 => $"U&\"{Escape("set_config", '!')}\"{Gap()}UESCAPE{Gap()}{Any("'!'", "$$!$$", "E'!'", "$u$!$u$")}{Gap()}('app.x','9',{Any("false", "true")})",
        28 => $"(SELECT a FROM {Any("guarded", "\"guarded\"", "public.guarded")} LIMIT 1)",
        29 => Call("public", "default_leak", ""),
        30 => Any("(SELECT max(a) FROM deep_table)", "(SELECT x FROM json_populate_record(null::leak_comp, '{\"a\":1}') x)"),
        31 => Any("table_to_xml('leak_view', true, false, '')", "ts_stat('SELECT to_tsvector(leak()::text)')::text", "(SELECT v.leak_view FROM leak_view v)::text"),
        _ => Any("1", "now()", "current_setting('work_mem')", "random()", "@ -1", "'it''s'", "E'\\''", "$a$;$a$", "2"),
    };

    private string Expression(int depth)
    {
        if (depth <= 0 || Chance(0.35)) { return Effect(); }
        var e = Expression(depth - 1);
        return random.Next(14) switch
        {
            0 => $"({Gap()}{e})",
            1 => $"CASE{Gap()}WHEN true THEN {e} END",
            2 => $"coalesce(({e})::text,'')",
            3 => $"(SELECT{Gap()}{e} AS {Any("z", "\"case\"", "\"end\"", "zz")})",
            4 => $"EXISTS(SELECT {e} LIMIT 1)",
            5 => $"ARRAY[({e})::text]",
            6 => $"nullif(({e})::text,'q')",
            7 => $"ROW({e},1)",
            8 => $"({e}) IS NULL",
            9 => $"length(({e})::text){Gap()}+1",
            10 => $"(ARRAY['a','b'])[1 + 0 * length(({e})::text)]",
            11 => $"extract(day FROM now() + length(({e})::text) * interval '1 day')",
            12 => $"substring('abc' FROM 1 + 0 * length(({e})::text))",
            _ => $"greatest(({e})::text,'a')",
        };
    }

    private string Query() => random.Next(16) switch
    {
        0 => $"SELECT{Gap()}{Expression(3)}",
        1 => $"SELECT * FROM (SELECT {Expression(2)} AS q) s",
        2 => $"WITH{Gap()}w{Gap()}AS{Gap()}(SELECT {Expression(2)} AS q) SELECT * FROM w",
        3 => $"VALUES ({Expression(2)})",
        4 => $"TABLE {Any("leak_view", "t", "deep_view", "lock_view")}",
        5 => $"SELECT a FROM t WHERE ({Expression(2)}) IS NOT NULL",
        6 => $"SELECT a FROM t ORDER BY ({Expression(2)})::text",
        7 => $"SELECT count(*) FROM t GROUP BY a HAVING ({Expression(2)})::text <> ''",
        8 => $"SELECT * FROM t, LATERAL (SELECT {Expression(2)} AS q) l",
        9 => $"SELECT 1 LIMIT length(({Expression(2)})::text)",
        10 => $"(SELECT {Expression(2)}::text){Gap()}UNION ALL (SELECT {Expression(1)}::text)",
        11 => $"SELECT * FROM t JOIN {Any("leak_view", "deep_view")} v ON t.a = v.a",
        12 => $"SELECT * FROM {Any("leak()", "leak_sql() AS f(x)", "ROWS FROM (leak(), pure(1)) r", "generate_series(1, leak()) AS g(x)")}",
        13 => $"SELECT sum(a) OVER (ORDER BY ({Expression(1)})::text) FROM t",
        14 => $"SELECT DISTINCT ON (({Expression(1)})::text) a FROM t",
        _ => $"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 2 AND ({Expression(1)})::text IS NOT NULL) SELECT * FROM r",
    };

    private string Plpgsql(int depth) => random.Next(depth > 0 ? 14 : 8) switch
    {
        0 => $"PERFORM {Expression(1)};",
        1 => $"SET {Any("", "LOCAL ", "SESSION ")}{Any("work_mem = '9MB'", "app.x = 'leak'", "ROLE adversary_role", "\"app\".\"y\" TO leak", "TIME ZONE 'Asia/Tokyo'")};",
        2 => $"v := ({Expression(1)})::text;",
        3 => $"EXECUTE {Text(Any("SELECT leak()", "SELECT pg_advisory_lock(2)", "SET app.x = leak", "RESET ALL"))};",
        4 => $"EXECUTE {Text("SELECT ")} || {Text(Any("leak()", "pg_advisory_lock(4)", "1"))};",
        5 => $"SELECT ({Expression(1)})::text INTO v;",
        6 => "NULL;",
        7 => Any("RESET work_mem;", "INSERT INTO trig VALUES (1);", "UPDATE t SET a = a;", "INSERT INTO dflt(a) VALUES (1);", "LISTEN ch2;", "CREATE TEMP TABLE IF NOT EXISTS tmp2(a int);", "RAISE NOTICE 'x';", "CALL leak_proc();"),
        8 => $"IF {Any("true", "1 = 1", "CASE WHEN true THEN true END", "EXISTS (SELECT 1)")}{Gap()}THEN {Plpgsql(depth - 1)} ELSE {Plpgsql(depth - 1)} END IF;",
        9 => $"FOR r IN {Query()} LOOP {Plpgsql(depth - 1)} END LOOP;",
        10 => $"BEGIN {Plpgsql(depth - 1)} EXCEPTION WHEN others THEN {Plpgsql(depth - 1)} END;",
        11 => $"CASE 1 WHEN 1 THEN {Plpgsql(depth - 1)} ELSE {Plpgsql(depth - 1)} END CASE;",
        12 => $"<<lab>> WHILE v IS NULL LOOP v := 'x'; {Plpgsql(depth - 1)} END LOOP lab;",
        _ => $"{Plpgsql(depth - 1)} {Plpgsql(depth - 1)}",
    };

    /// <summary>One text, of one statement or two.</summary>
    public string Statement() => random.Next(26) switch
    {
        <= 9 => Query(),
        10 => $"INSERT INTO {Any("t(a)", "t", "trig", "\"trig\"(a)", "dflt(a)", "public.trig")} SELECT length(({Expression(2)})::text)",
        11 => $"UPDATE {Any("t", "trig", "ONLY t", "t AS u")} SET a = length(({Expression(1)})::text) WHERE a < 3",
        12 => $"DELETE FROM {Any("t", "trig", "ONLY (t)")} WHERE ({Expression(1)})::text = 'never'",
        13 => $"EXPLAIN {Any("", "ANALYZE ", "(ANALYZE) ", "(ANALYZE, VERBOSE) ", "(VERBOSE) ", "(ANALYZE false) ", "ANALYZE VERBOSE ", "(COSTS off, ANALYZE 1) ")}SELECT {Any("leak()", "leak_sql()", "pure(1)", "set_config('app.x','l',false)")}",
        14 => $"DO{Gap()}$do$ DECLARE v text; r record; BEGIN {Plpgsql(3)} END $do$",
        15 => $"DO $do$ DECLARE v text := ({Expression(1)})::text; r record; BEGIN {Plpgsql(2)} {Plpgsql(2)} END $do$ LANGUAGE {Any("plpgsql", "\"plpgsql\"", "PLPGSQL")}",
        16 => $"SET{Gap()}{Any("", "SESSION ", "LOCAL ")}{Any("work_mem", "app.x", "\"work_mem\"", "app . y", "U&\"work\\005fmem\"", "statement_timeout")}{Gap()}{Any("=", "TO")}{Gap()}{Any("'9MB'", "DEFAULT", "9999")}",
        17 => $"{Any("SET ROLE adversary_role", "SET LOCAL ROLE adversary_role", "SET SESSION AUTHORIZATION adversary_role", "RESET ROLE", "RESET ALL", "RESET work_mem", "SET TIME ZONE 'Asia/Tokyo'", "SET LOCAL TIME ZONE UTC", "SET SCHEMA 'pg_catalog'", "SET search_path = public, pg_temp", "SET NAMES 'UTF8'", "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET TRANSACTION READ ONLY", "SET XML OPTION DOCUMENT", "SET datestyle = 'German'", "SET CONSTRAINTS ALL DEFERRED")}",
        18 => Any("LISTEN ch", "UNLISTEN *", "CREATE TEMP TABLE tmp3(a int)", "CREATE TEMP TABLE tmp4 ON COMMIT DROP AS SELECT leak()", "CREATE TABLE pg_temp.tmp5(a int)", "SELECT 1 INTO TEMP tmp6", "CREATE TEMPORARY VIEW tmp7 AS SELECT 1", "DISCARD ALL", "DISCARD TEMP", "PREPARE pp AS SELECT 1", "DEALLOCATE ALL", "EXECUTE pp", "LOAD 'plpgsql'", "DECLARE cc CURSOR WITH HOLD FOR SELECT 1", "DECLARE cc CURSOR FOR SELECT leak()"),
        19 => Any("BEGIN", "COMMIT", "ROLLBACK", "COMMIT AND CHAIN", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "START TRANSACTION READ ONLY", "END", "ABORT", "PREPARE TRANSACTION 'p'", "COMMIT PREPARED 'p'"),
        20 => Any("CALL leak_proc()", "CALL public.\"leak_proc\"()", "SHOW work_mem", "SHOW ALL", "NOTIFY ch", "CHECKPOINT", "LOCK TABLE t", "ANALYZE t", "COMMENT ON TABLE t IS 'x'"),
        21 => $"{Statement()};{Gap()}{Statement()}",
        22 => $"MERGE INTO trig USING (SELECT {Expression(1)} AS q) s ON false WHEN NOT MATCHED THEN INSERT VALUES (1)",
        23 => $"WITH d AS (INSERT INTO {Any("trig", "t(a)")} {Any("VALUES (1)", "SELECT 1")} RETURNING a) SELECT {Expression(1)}",
        24 => $"CREATE TABLE ct_{random.Next(1_000_000)} AS {Query()}",
        _ => Mutate(Query()),
    };

    // A token more, a token less.
    private string Mutate(string sql)
    {
        var at = random.Next(sql.Length);
        return random.Next(5) switch
        {
            0 => sql.Remove(at, Math.Min(random.Next(1, 4), sql.Length - at)),
            1 => sql.Insert(at, Any("'", "\"", "(", ")", ";", "/*", "*/", "--", "$$", "\\", "E'", "U&", "\n", "@", ":", "::")),
            2 => sql[..at] + Gap() + sql[at..],
            3 => sql + ";" + Gap() + Any("", "SELECT 1", "SET work_mem='9MB'"),
            _ => sql + sql[at..],
        };
    }
}
