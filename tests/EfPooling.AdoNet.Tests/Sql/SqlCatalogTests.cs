using EfPooling.AdoNet.Sql;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What the catalog of a database adds to the verdict on a text.</summary>
public sealed class SqlCatalogTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Schema =
        """
        DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS other CASCADE; CREATE SCHEMA other;
        CREATE TABLE item (id serial PRIMARY KEY, name text);
        CREATE TABLE parted (id int) PARTITION BY LIST (id);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
        CREATE TABLE "Items" ("Id" int);
        CREATE TABLE guarded (id int, tenant text);
        CREATE TABLE noisily_guarded (id int);
        CREATE FUNCTION doubled(a int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT a * 2 $$;
        CREATE FUNCTION counted() RETURNS bigint STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT count(*) FROM item); END $$;
        CREATE FUNCTION logged(a int) RETURNS int LANGUAGE sql AS $$ INSERT INTO item DEFAULT VALUES; SELECT a $$;
        CREATE FUNCTION atomic_sum(a int) RETURNS int STABLE LANGUAGE sql BEGIN ATOMIC SELECT a + 1; SELECT a + 2; END;
        CREATE FUNCTION atomic_one() RETURNS int STABLE LANGUAGE sql RETURN doubled(1);
        CREATE FUNCTION mixed(a int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE FUNCTION mixed(a text) RETURNS int VOLATILE LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE FUNCTION other.twin() RETURNS int VOLATILE LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE FUNCTION public.twin() RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE FUNCTION other.lower(a int) RETURNS int IMMUTABLE LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE FUNCTION stable_liar() RETURNS float STABLE LANGUAGE sql AS $$ SELECT random() $$;
        CREATE FUNCTION noise(i item) RETURNS int VOLATILE LANGUAGE sql AS $$ SELECT 1 $$;
        CREATE FUNCTION hidden() RETURNS text LANGUAGE sql AS $$ SELECT set_config('work_mem', '77MB', false) $$;
        CREATE FUNCTION hidden_local() RETURNS text LANGUAGE sql AS $$ SELECT set_config('work_mem', '77MB', true) $$;
        CREATE FUNCTION hidden_deeper() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN public.hidden(); END $$;
        CREATE FUNCTION hidden_atomic() RETURNS text LANGUAGE sql RETURN set_config('work_mem', '77MB', false);
        CREATE FUNCTION dynamic(a text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN EXECUTE a; END $$;
        CREATE FUNCTION locking() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_lock(1); END $$;
        CREATE FUNCTION ping(a int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN CASE WHEN a > 0 THEN pong(a - 1) ELSE 0 END; END $$;
        CREATE FUNCTION pong(a int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN ping(a); END $$;
        CREATE FUNCTION with_setting() RETURNS int LANGUAGE sql SECURITY DEFINER SET work_mem = '77MB' AS $$ SELECT 1 $$;
        CREATE PROCEDURE quiet() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO item DEFAULT VALUES; COMMIT; END $$;
        CREATE PROCEDURE loud() LANGUAGE plpgsql AS $$ BEGIN SET work_mem = '77MB'; END $$;
        CREATE PROCEDURE calls_loud() LANGUAGE plpgsql AS $$ BEGIN CALL loud(); END $$;
        CREATE FUNCTION step(a int, b int) RETURNS int VOLATILE LANGUAGE sql AS $$ SELECT a + b $$;
        CREATE AGGREGATE noisy_sum(int) (SFUNC = step, STYPE = int, INITCOND = '0');
        CREATE FUNCTION same(a int, b text) RETURNS bool VOLATILE LANGUAGE sql AS $$ SELECT true $$;
        CREATE OPERATOR === (LEFTARG = int, RIGHTARG = text, FUNCTION = same);
        CREATE DOMAIN noisy_text AS text CHECK (logged(length(VALUE)) > 0);
        CREATE VIEW plain AS SELECT id, upper(name) AS name FROM item;
        CREATE VIEW plain_of_plain AS SELECT * FROM plain;
        CREATE VIEW noisy AS SELECT random() AS r;
        CREATE VIEW noisy_of_noisy AS SELECT * FROM noisy, plain;
        CREATE VIEW setting AS SELECT hidden() AS s;
        CREATE VIEW setting_itself AS SELECT set_config('work_mem', '77MB', false) AS s;
        CREATE MATERIALIZED VIEW summary AS SELECT count(*) FROM item;
        DROP FOREIGN DATA WRAPPER IF EXISTS nowhere CASCADE; CREATE FOREIGN DATA WRAPPER nowhere;
        CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
        CREATE FOREIGN TABLE far (id int) SERVER nowhere;
        CREATE TABLE partly_far (id int) PARTITION BY LIST (id);
        CREATE FOREIGN TABLE far_1 PARTITION OF partly_far FOR VALUES IN (1) SERVER nowhere;
        CREATE VIEW of_far AS SELECT * FROM far;
        CREATE FUNCTION harmless_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO item (name) VALUES (TG_OP); RETURN new; END $$;
        CREATE FUNCTION setting_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('work_mem', '77MB', false); RETURN new; END $$;
        CREATE TABLE audited (id int PRIMARY KEY);
        CREATE TRIGGER t AFTER INSERT OR UPDATE ON audited FOR EACH ROW EXECUTE FUNCTION harmless_trigger();
        CREATE TABLE quietly_audited (id int);
        CREATE TRIGGER t AFTER INSERT OR UPDATE ON quietly_audited FOR EACH ROW EXECUTE FUNCTION harmless_trigger();
        CREATE TABLE loudly_audited (id int PRIMARY KEY, audited_id int REFERENCES audited ON DELETE SET NULL);
        CREATE TRIGGER t AFTER UPDATE ON loudly_audited FOR EACH STATEMENT EXECUTE FUNCTION setting_trigger();
        CREATE TABLE loud_parts (id int) PARTITION BY LIST (id);
        CREATE TABLE loud_parts_1 PARTITION OF loud_parts FOR VALUES IN (1);
        CREATE TRIGGER t AFTER INSERT ON loud_parts FOR EACH ROW EXECUTE FUNCTION setting_trigger();
        CREATE VIEW loud_view AS SELECT id FROM loudly_audited;
        CREATE TABLE loud_default (id int, s text DEFAULT hidden());
        CREATE TABLE loud_check (id int CHECK (length(hidden()) > 0));
        CREATE TABLE loud_rule (id int);
        CREATE RULE r AS ON INSERT TO loud_rule DO ALSO SELECT hidden();
        CREATE TABLE carried (id int);
        CREATE RULE r AS ON INSERT TO carried DO ALSO UPDATE loudly_audited SET id = 2;
        CREATE FUNCTION writes_loudly() RETURNS void LANGUAGE plpgsql AS $$ BEGIN UPDATE loudly_audited SET id = id; END $$;
        CREATE FUNCTION writes_loudly_by_column() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO loud_parts (id) VALUES (1); END $$;
        CREATE TABLE loud_when (id int);
        CREATE TRIGGER t BEFORE INSERT ON loud_when FOR EACH ROW WHEN (length(hidden()) > 0) EXECUTE FUNCTION harmless_trigger();
        CREATE DOMAIN loud_text AS text CHECK (length(hidden()) > 0);
        CREATE TABLE loud_domain (a loud_text);
        CREATE TABLE locking_default (id int, locked bool DEFAULT pg_try_advisory_lock(1));
        CREATE FUNCTION is_alone() RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN current_setting('transaction_read_only') = 'off'; END $$;
        CREATE VIEW numbered AS SELECT txid_current() AS number;
        CREATE POLICY p ON guarded USING (tenant = current_setting('app.tenant', true));
        CREATE POLICY p ON noisily_guarded USING (logged(id) > 0);
        """;

    private static readonly CatalogSource Source = new(timeoutSeconds: 30);

    private SqlCatalog _catalog = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await using var connection = await OpenPlainAsync();
        if (await connection.AskAsync<bool>("SELECT to_regclass('locking_default') IS NULL"))
        {
            await RunEachAsync(connection, Schema);
        }

        _catalog = await Source.LoadAsync(connection, TrustedObjects.None, CancellationToken.None);
    }

    [Theory]
    [InlineData("SELECT 1")]
    [InlineData("SELECT i.id, lower(i.name) FROM item AS i WHERE i.id = 1 AND i.name LIKE 'a%'")]
    [InlineData("SELECT * FROM public.item, \"Items\"")]
    [InlineData("SELECT count(*), max(id), now(), current_setting('work_mem') FROM item")]
    [InlineData("SELECT v.value FROM unnest(ARRAY[1]) AS v(value) JOIN item ON item.id = v.value")]
    [InlineData("WITH x AS (SELECT * FROM item) SELECT doubled(id) FROM x")]
    [InlineData("SELECT counted(), atomic_sum(1), atomic_one()")]
    [InlineData("SELECT * FROM parted, parted_1")]
    [InlineData("SELECT * FROM plain_of_plain")]
    [InlineData("SELECT * FROM summary")]
    [InlineData("SELECT * FROM guarded")]
    [InlineData("SELECT * FROM pg_catalog.pg_class")]
    public void PureRead_IsKnown(string sql) => Assert.True(_catalog.IsPureRead(SqlVerdict.Of(sql)));

    [Theory]
    [InlineData("SELECT random()")]
    [InlineData("SELECT clock_timestamp() FROM item")]
    [InlineData("SELECT nextval('item_id_seq')")]
    [InlineData("SELECT logged(1)")]
    [InlineData("SELECT mixed(1)")]
    [InlineData("SELECT twin()")]
    [InlineData("SELECT other.twin()")]
    [InlineData("SELECT stable_liar()")]
    [InlineData("SELECT i.noise FROM item AS i")]
    [InlineData("SELECT (i).noise FROM item AS i")]
    [InlineData("SELECT noisy_sum(id) FROM item")]
    [InlineData("SELECT 1 === 'a'")]
    [InlineData("SELECT 'a'::noisy_text")]
    [InlineData("SELECT nobody_knows(1)")]
    [InlineData("SELECT other.upper('a')")]
    [InlineData("SELECT * FROM nobody_knows")]
    [InlineData("SELECT * FROM other.item")]
    [InlineData("SELECT * FROM noisy")]
    [InlineData("SELECT * FROM noisy_of_noisy")]
    [InlineData("SELECT * FROM item, LATERAL (SELECT * FROM noisy) AS n")]
    [InlineData("SELECT * FROM noisily_guarded")]
    [InlineData("SELECT * FROM far")]
    [InlineData("SELECT * FROM partly_far")]
    [InlineData("SELECT * FROM of_far")]
    [InlineData("SELECT * FROM pg_settings")]
    [InlineData("SELECT * FROM item TABLESAMPLE bernoulli (10)")]
    [InlineData("SELECT * FROM item FOR UPDATE")]
    [InlineData("SELECT set_config('work_mem', '77MB', true)")]
    [InlineData("SELECT txid_current()")]
    [InlineData("SELECT pg_current_xact_id_if_assigned() FROM item")]
    [InlineData("SELECT current_setting('Transaction_Read_Only')")]
    [InlineData("SELECT is_alone()")]
    [InlineData("SELECT * FROM numbered")]
    [InlineData("SELECT 1; SELECT 2")]
    [InlineData("UPDATE item SET id = 1")]
    public void AnythingElse_IsNoPureRead(string sql) => Assert.False(_catalog.IsPureRead(SqlVerdict.Of(sql)));

    [Theory]
    [InlineData("SELECT random(), nextval('item_id_seq'), upper('a')")]
    [InlineData("SELECT logged(1), doubled(2), stable_liar(), mixed(1), counted()")]
    [InlineData("SELECT with_setting()")]
    [InlineData("SELECT ping(3)")]
    [InlineData("SELECT * FROM noisy_of_noisy")]
    [InlineData("SELECT set_config('work_mem', '77MB', true)")]
    [InlineData("INSERT INTO item (name) VALUES (lower('A'))")]
    [InlineData("SELECT atomic_sum(1), atomic_one()")]
    [InlineData("INSERT INTO quietly_audited VALUES (1)")]
    [InlineData("INSERT INTO quietly_audited (id) VALUES (1)")]
    [InlineData("SELECT * FROM loudly_audited, loud_parts, loud_view, loud_default, loud_rule, carried")]
    public void Functions_ThatLeaveTheSessionAlone_AreKnown(string sql) => Assert.False(_catalog.MayChangeSession(SqlVerdict.Of(sql)));

    [Theory]
    [InlineData("SELECT hidden()")]
    [InlineData("SELECT hidden_deeper()")]
    [InlineData("SELECT hidden_local()")]
    [InlineData("SELECT * FROM loud_check")]
    [InlineData("CALL quiet()")]
    [InlineData("SELECT hidden_atomic()")]
    [InlineData("INSERT INTO item (name) SELECT public.hidden()")]
    [InlineData("SELECT * FROM setting")]
    [InlineData("SELECT * FROM setting_itself")]
    [InlineData("SELECT dynamic('SET x = 1')")]
    [InlineData("SELECT locking()")]
    [InlineData("SELECT nobody_knows()")]
    [InlineData("CALL loud()")]
    [InlineData("CALL calls_loud()")]
    [InlineData("CALL nobody_knows()")]
    [InlineData("DO $$ BEGIN CALL loud(); END $$")]
    [InlineData("UPDATE loudly_audited SET id = 1")]
    [InlineData("WITH w AS (UPDATE public.loudly_audited SET id = 1 RETURNING id) SELECT * FROM w")]
    [InlineData("DELETE FROM audited")]
    [InlineData("MERGE INTO loudly_audited USING item ON item.id = loudly_audited.id WHEN MATCHED THEN UPDATE SET id = 1")]
    [InlineData("UPDATE loud_view SET id = 1")]
    [InlineData("INSERT INTO loud_parts VALUES (1)")]
    [InlineData("INSERT INTO loud_parts_1 VALUES (1)")]
    [InlineData("INSERT INTO loud_default VALUES (1)")]
    [InlineData("INSERT INTO loud_default (id) VALUES (1)")]
    [InlineData("INSERT INTO public.loud_parts (id) SELECT 1")]
    [InlineData("SELECT writes_loudly_by_column()")]
    [InlineData("INSERT INTO loud_when (id) VALUES (1)")]
    [InlineData("INSERT INTO loud_domain (a) VALUES ('x')")]
    [InlineData("INSERT INTO locking_default (id) VALUES (1)")]
    [InlineData("INSERT INTO loud_check VALUES (1)")]
    [InlineData("INSERT INTO loud_rule VALUES (1)")]
    [InlineData("INSERT INTO carried VALUES (1)")]
    [InlineData("SELECT writes_loudly()")]
    public void Functions_ThatMayChangeTheSession_AreKnown(string sql) => Assert.True(_catalog.MayChangeSession(SqlVerdict.Of(sql)));

    [Fact]
    public async Task Catalog_LoadedAgain_KnowsWhatHasChanged()
    {
        await using var connection = await OpenPlainAsync();
        var (read, change) = (SqlVerdict.Of("SELECT changing()"), SqlVerdict.Of("SELECT changing() AS again"));
        await connection.RunAsync("CREATE FUNCTION changing() RETURNS text STABLE LANGUAGE sql AS $$ SELECT 'a' $$");
        var catalog = Source.Load(connection, TrustedObjects.None);
        Assert.True(catalog.IsPureRead(read));
        Assert.False(catalog.MayChangeSession(change));

        await connection.RunAsync("CREATE OR REPLACE FUNCTION changing() RETURNS text VOLATILE LANGUAGE sql AS $$ SELECT set_config('custom.x', 'a', false) $$");
        Assert.True(catalog.IsPureRead(read));

        var again = Source.Load(connection, TrustedObjects.None);
        Assert.False(again.IsPureRead(read));
        Assert.True(again.MayChangeSession(change));
    }

    // Npgsql cuts BEGIN ATOMIC … END at its semicolons.
    private static async Task RunEachAsync(NpgsqlConnection connection, string script)
    {
        foreach (var statement in script.Split(";\n"))
        {
            await connection.RunAsync(statement.Contains("ATOMIC", StringComparison.Ordinal) ? Quoted(statement) : statement);
        }
    }

    private static string Quoted(string statement) => $"DO $body$ BEGIN EXECUTE $text${statement}$text$; END $body$";
}
