using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet.Tests;

public sealed class SessionTaintTests
{
    [Theory]
    [InlineData("")]
    [InlineData(" ; ; ")]
    [InlineData("SELECT 1")]
    [InlineData("(SELECT 1) UNION (SELECT 2)")]
    [InlineData("select * from settings where name = 'SET'")]
    [InlineData("INSERT INTO a VALUES (1); UPDATE a SET b = 1; DELETE FROM a")]
    [InlineData("WITH x AS (SELECT 1) SELECT * FROM x")]
    [InlineData("MERGE INTO a USING b ON true WHEN MATCHED THEN UPDATE SET c = 1")]
    [InlineData("CREATE TABLE a (id int)")]
    [InlineData("SAVEPOINT a")]
    [InlineData("ROLLBACK TO a")]
    [InlineData("ROLLBACK TO SAVEPOINT a; SELECT 1")]
    [InlineData("RELEASE a")]
    [InlineData("SET LOCAL a = 1")]
    [InlineData("SET TRANSACTION READ ONLY")]
    [InlineData("SET CONSTRAINTS ALL DEFERRED")]
    [InlineData("SHOW work_mem")]
    [InlineData("SELECT pg_advisory_xact_lock(1)")]
    [InlineData("COMMENT ON TABLE a IS 'temp'")]
    public void Text_ThatLeavesNothing_IsClean(string sql) => Assert.Equal(Taint.None, Of(sql));

    [Theory]
    [InlineData("SET a = 1")]
    [InlineData("SET SESSION a = 1")]
    [InlineData("set")]
    [InlineData("SET LOCAL a = 1; SET a = 1")]
    [InlineData("ROLLBACK TO a; SET a = 1")]
    [InlineData("(SELECT 1); RESET ALL")]
    [InlineData("ROLLBACK; SELECT 1")]
    [InlineData("BEGIN")]
    [InlineData("COMMIT")]
    [InlineData("LISTEN a")]
    [InlineData("CALL a()")]
    [InlineData("EXECUTE a")]
    [InlineData("SELECT set_config('a', 'b', false)")]
    [InlineData("SELECT SET_CONFIG('a', 'b', false)")]
    [InlineData("SELECT pg_catalog.set_config('a', 'b', false)")]
    [InlineData("SELECT \"pg_advisory_lock\"(1)")]
    [InlineData("CREATE TABLE pg_temp.a (id int)")]
    [InlineData("SELECT dblink_connect_u('a', 'b')")]
    [InlineData("SELECT set_limit(0.5)")]
    [InlineData("SELECT U&\"set\\005fconfig\"('a', 'b', false)")]
    [InlineData("SELECT U&\"set!005fconfig\" UESCAPE '!' ('a', 'b', false)")]
    [InlineData("UPDATE pg_settings SET setting = 'b' WHERE name = 'a'")]
    [InlineData("FROBNICATE a")]
    [InlineData("SELECT 1; FROBNICATE a")]
    public void Text_ThatMayLeaveSomething_IsDirty(string sql) => Assert.True(Of(sql).HasFlag(Taint.Dirty));

    [Theory]
    [InlineData("PREPARE a AS SELECT 1")]
    [InlineData("PREPARE TRANSACTION 'a'")]
    [InlineData("DEALLOCATE ALL")]
    [InlineData("DISCARD ALL")]
    [InlineData("SELECT 1; LOAD 'a'")]
    [InlineData("SELECT pg_replication_origin_session_setup('a')")]
    [InlineData("SELECT pg_create_logical_replication_slot('a', 'pgoutput', true)")]
    public void Text_WhoseEffectNoResetUndoes_IsUnresettable(string sql) => Assert.True(Of(sql).HasFlag(Taint.Unresettable));

    [Fact]
    public void Memory_OfManyTexts_StartsAfresh_AndAnswersAlike()
    {
        for (var i = 0; i < 10_010; i++)
        {
            Assert.Equal(Taint.None, Of($"SELECT {i}"));
        }

        Assert.NotEqual(Taint.None, Of("SET a = 1"));
    }

    private static Taint Of(string sql) => SessionFeatures.TaintOf(SqlVerdict.Of(sql).Effects, SqlVerdict.Of(sql), settingsFollow: false);
}
