namespace EfPooling.Analyzers.Tests;

public sealed class TemporaryObjectTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.TemporaryObject, () => new SqlRulesAnalyzer(), () => new TemporaryObjectFix())
        .Fires(
            "CREATE TEMP TABLE",
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            await using var other = await db.Database.BeginTransactionAsync(ct);
            conn.Execute("{|EFP0005:CREATE TEMP TABLE|} t (id int);");
            await db.Database.ExecuteSqlRawAsync("{|EFP0005:create local temporary table|} if not exists t (id int, \"as\" text)", ct);
            conn.Execute("{|EFP0005:CREATE TEMP TABLE|} t AS SELECT 1; SELECT 2");
            conn.Execute("{|EFP0005:CREATE TEMP TABLE|} t (a, b) WITH (fillfactor = 70) AS SELECT 1 AS x");
            """,
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            await using var other = await db.Database.BeginTransactionAsync(ct);
            conn.Execute("CREATE TEMP TABLE t (id int) ON COMMIT DROP;");
            await db.Database.ExecuteSqlRawAsync("create local temporary table if not exists t (id int, \"as\" text) ON COMMIT DROP", ct);
            conn.Execute("CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1; SELECT 2");
            conn.Execute("CREATE TEMP TABLE t (a, b) WITH (fillfactor = 70) ON COMMIT DROP AS SELECT 1 AS x");
            """)
        .Fires(
            "without a transaction the table would be gone at once: nothing is offered",
            """
            await db.Database.ExecuteSqlRawAsync("{|EFP0005:CREATE TEMPORARY TABLE|} IF NOT EXISTS x AS SELECT 1", ct);
            await using var tx = await conn.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlRawAsync("{|EFP0005:CREATE TEMP TABLE|} y (id int)", ct);
            """,
            """
            await db.Database.ExecuteSqlRawAsync("CREATE TEMPORARY TABLE IF NOT EXISTS x AS SELECT 1", ct);
            await using var tx = await conn.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlRawAsync("CREATE TEMP TABLE y (id int)", ct);
            """)
        .Fires(
            "behind WITH and IF NOT EXISTS, before AS",
            """
            using var tx = db.Database.BeginTransaction();
            db.Database.ExecuteSqlRaw("{|EFP0005:CREATE TEMP TABLE|} y (id int) WITH (fillfactor=70) AS SELECT 1");
            db.Database.ExecuteSqlRaw("{|EFP0005:CREATE TEMP TABLE|} IF NOT EXISTS x AS SELECT 1");
            db.Database.ExecuteSqlRaw("{|EFP0005:CREATE TEMP TABLE|} z ON COMMIT PRESERVE ROWS AS SELECT 1");
            tx.Commit();
            """,
            """
            using var tx = db.Database.BeginTransaction();
            db.Database.ExecuteSqlRaw("CREATE TEMP TABLE y (id int) WITH (fillfactor=70) ON COMMIT DROP AS SELECT 1");
            db.Database.ExecuteSqlRaw("CREATE TEMP TABLE IF NOT EXISTS x ON COMMIT DROP AS SELECT 1");
            db.Database.ExecuteSqlRaw("CREATE TEMP TABLE z ON COMMIT PRESERVE ROWS AS SELECT 1");
            tx.Commit();
            """)
        .Fires(
            "where another clause is in the way, nothing is offered",
            """
            conn.Execute("{|EFP0005:CREATE TEMP TABLE|} t (id int) ON COMMIT DELETE ROWS");
            conn.Execute("{|EFP0005:CREATE TEMP TABLE|} t (id int) TABLESPACE fast");
            """,
            """
            conn.Execute("CREATE TEMP TABLE t (id int) ON COMMIT DELETE ROWS");
            conn.Execute("CREATE TEMP TABLE t (id int) TABLESPACE fast");
            """)
        .Fires(
            "other temporary objects",
            """
            conn.Execute("{|EFP0005:CREATE OR REPLACE TEMP VIEW|} v AS SELECT 1");
            conn.Execute("{|EFP0005:CREATE TEMPORARY SEQUENCE|} s");
            conn.Execute("{|EFP0005:CREATE TEMP RECURSIVE VIEW|} v (n) AS SELECT 1");
            conn.Execute("SELECT 1 AS a {|EFP0005:INTO TEMP|} t FROM orders");
            """)
        .Fires(
            "by the schema of temporary objects",
            """
            conn.Execute("{|EFP0005:CREATE TABLE pg_temp.t|} (id int)");
            conn.Execute("{|EFP0005:CREATE TABLE IF NOT EXISTS pg_temp.t|} (id int) ON COMMIT DROP");
            conn.Execute("{|EFP0005:CREATE FUNCTION pg_temp.f|}() RETURNS int LANGUAGE sql AS 'SELECT 1'");
            conn.Execute("SELECT 1 AS a {|EFP0005:INTO pg_temp.t|} FROM orders");
            conn.Execute("SELECT 1 AS a {|EFP0005:INTO TABLE pg_temp_3.t|} FROM orders");
            """,
            """
            conn.Execute("CREATE TABLE pg_temp.t (id int)");
            conn.Execute("CREATE TABLE IF NOT EXISTS pg_temp.t (id int) ON COMMIT DROP");
            conn.Execute("CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'");
            conn.Execute("SELECT 1 AS a INTO pg_temp.t FROM orders");
            conn.Execute("SELECT 1 AS a INTO TABLE pg_temp_3.t FROM orders");
            """)
        .Fires(
            "a table whose columns are pasted in",
            """using var tx = conn.BeginTransaction(); conn.Execute($"{|EFP0005:CREATE TEMP TABLE|} t ({text})");""",
            """using var tx = conn.BeginTransaction(); conn.Execute($"CREATE TEMP TABLE t ({text}) ON COMMIT DROP");""")
        .Silent("a connection from a factory",
            """
            public interface IFactory { IDbConnection CreateConnection(); Task<DbConnection> OpenAsync(CancellationToken ct); }

            public class Example(IFactory factory)
            {
                public async Task Run(CancellationToken ct)
                {
                    await using var own = await factory.OpenAsync(ct);
                    await own.ExecuteAsync("CREATE TEMP TABLE t (id int)");
                    factory.CreateConnection().Execute("CREATE TEMP TABLE t (id int)");
                }
            }
            """)
        .Silent("ON COMMIT DROP",
            """
            conn.Execute("CREATE TEMP TABLE t (id int) ON COMMIT DROP");
            conn.Execute("CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1");
            """)
        .Silent("a table that the same text drops", """conn.Execute("CREATE TEMP TABLE t (x int); INSERT INTO t VALUES (1); DROP TABLE t");""")
        .Silent("permanent objects",
            """
            conn.Execute("CREATE TABLE temp (id int); CREATE UNLOGGED TABLE t (id int); SELECT 1 INTO t FROM orders; CREATE VIEW v AS SELECT 'CREATE TEMP TABLE'");
            """)
        .Silent("what may say ON COMMIT DROP",
            """
            conn.Execute($"CREATE TEMP TABLE t (id int) {text}");
            conn.Execute("CREATE TEMP TABLE t (id int) " + text);
            """)
        .Silent("a session of its own",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await using var session = await own.LeaseSessionAsync("import", ct);
            await session.Connection.ExecuteAsync("CREATE TEMP TABLE t (id int)");
            """)
        .Silent("use of a temporary table", """conn.Execute("DROP TABLE IF EXISTS pg_temp.t; SELECT * FROM pg_temp.t");""");

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
