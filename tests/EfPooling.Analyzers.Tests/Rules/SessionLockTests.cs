namespace EfPooling.Analyzers.Tests;

public sealed class SessionLockTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.SessionLock, () => new SqlRulesAnalyzer(), () => new SessionLockFix())
        .Fires(
            "a lock through Dapper, even inside a transaction",
            """
            using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("SELECT {|EFP0003:pg_advisory_lock|}(42)", transaction: tx);
            await tx.CommitAsync(ct);
            """,
            """
            using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("SELECT pg_advisory_xact_lock(42)", transaction: tx);
            await tx.CommitAsync(ct);
            """)
        .Fires(
            "all forms, in any case",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            await using var other = await conn.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"SELECT PG_CATALOG.{|EFP0003:PG_TRY_ADVISORY_LOCK_SHARED|}({id})", ct);
            var locked = await db.Database.SqlQuery<bool>($"SELECT {|EFP0003:pg_try_advisory_lock|}({id}) AS \"Value\"").SingleAsync(ct);
            conn.Execute($"SELECT {|EFP0003:pg_advisory_lock_shared|}(hashtext('{text}'))");
            """,
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            await using var other = await conn.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"SELECT PG_CATALOG.PG_TRY_ADVISORY_xact_LOCK_SHARED({id})", ct);
            var locked = await db.Database.SqlQuery<bool>($"SELECT pg_try_advisory_xact_lock({id}) AS \"Value\"").SingleAsync(ct);
            conn.Execute($"SELECT pg_advisory_xact_lock_shared(hashtext('{text}'))");
            """)
        .Fires(
            "without a transaction, what is left would lock nothing: nothing is offered",
            """
            await db.Database.ExecuteSqlAsync($"SELECT {|EFP0003:pg_try_advisory_lock|}(1)", ct);
            await using (var tx = await db.Database.BeginTransactionAsync(ct))
            {
                await conn.ExecuteAsync("SELECT {|EFP0003:pg_advisory_lock|}(2)");
                await tx.CommitAsync(ct);
                await db.Database.ExecuteSqlAsync($"SELECT {|EFP0003:pg_advisory_lock|}(3)", ct);
            }

            await db.Database.ExecuteSqlAsync($"SELECT {|EFP0003:pg_advisory_lock|}(4)", ct);
            await using var perhaps = id > 0 ? await conn.BeginTransactionAsync(ct) : null;
            await conn.ExecuteAsync("SELECT {|EFP0003:pg_advisory_lock|}(5)", transaction: perhaps);
            """,
            """
            await db.Database.ExecuteSqlAsync($"SELECT pg_try_advisory_lock(1)", ct);
            await using (var tx = await db.Database.BeginTransactionAsync(ct))
            {
                await conn.ExecuteAsync("SELECT pg_advisory_lock(2)");
                await tx.CommitAsync(ct);
                await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock(3)", ct);
            }

            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock(4)", ct);
            await using var perhaps = id > 0 ? await conn.BeginTransactionAsync(ct) : null;
            await conn.ExecuteAsync("SELECT pg_advisory_lock(5)", transaction: perhaps);
            """)
        .Fires(
            "in branches, lambdas and loops, only where the transaction surely is open",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            if (id == 1)
            {
                await tx.RollbackAsync(ct);
                return;
            }

            foreach (var i in new[] { 1, 2 })
            {
                await db.Database.ExecuteSqlAsync($"SELECT {|EFP0003:pg_advisory_lock|}(6)", ct);
            }

            Func<Task> later = () => db.Database.ExecuteSqlAsync($"SELECT {|EFP0003:pg_advisory_lock|}(7)", ct);
            if (id == 2)
            {
                await tx.CommitAsync(ct);
            }

            await db.Database.ExecuteSqlAsync($"SELECT {|EFP0003:pg_advisory_lock|}(8)", ct);
            await later();
            """,
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            if (id == 1)
            {
                await tx.RollbackAsync(ct);
                return;
            }

            foreach (var i in new[] { 1, 2 })
            {
                await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(6)", ct);
            }

            Func<Task> later = () => db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock(7)", ct);
            if (id == 2)
            {
                await tx.CommitAsync(ct);
            }

            await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock(8)", ct);
            await later();
            """)
        .Fires(
            "a transaction that the command is given",
            """
            public static class Locks
            {
                public static async Task Take(DbConnection conn, DbTransaction given, DbTransaction? perhaps)
                {
                    await conn.ExecuteAsync("SELECT {|EFP0003:pg_advisory_lock|}(1)", transaction: given);
                    await conn.ExecuteAsync("SELECT {|EFP0003:pg_advisory_lock|}(2)", transaction: perhaps);
                    await conn.ExecuteAsync("SELECT {|EFP0003:pg_advisory_lock|}(3)", transaction: null);
                    await using var command = conn.CreateCommand();
                    command.Transaction = given;
                    command.CommandText = "SELECT {|EFP0003:pg_advisory_lock|}(4)";
                    await command.ExecuteNonQueryAsync();
                }
            }
            """,
            """
            public static class Locks
            {
                public static async Task Take(DbConnection conn, DbTransaction given, DbTransaction? perhaps)
                {
                    await conn.ExecuteAsync("SELECT pg_advisory_xact_lock(1)", transaction: given);
                    await conn.ExecuteAsync("SELECT pg_advisory_lock(2)", transaction: perhaps);
                    await conn.ExecuteAsync("SELECT pg_advisory_lock(3)", transaction: null);
                    await using var command = conn.CreateCommand();
                    command.Transaction = given;
                    command.CommandText = "SELECT pg_advisory_xact_lock(4)";
                    await command.ExecuteNonQueryAsync();
                }
            }
            """)
        .Fires(
            "a connection opened from the pool has no session either",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await own.ExecuteAsync("SELECT {|EFP0003:pg_advisory_lock|}(1)");
            """)
        .Silent("a session lock on a connection of Npgsql's own data source",
            """
            await using var own = await source.OpenConnectionAsync(ct);
            await own.ExecuteAsync("SELECT pg_advisory_lock(1)");
            """)
        .Silent("a connection from a factory",
            """
            public interface IFactory { IDbConnection CreateConnection(); Task<DbConnection> OpenAsync(CancellationToken ct); }

            public class Example(IFactory factory)
            {
                public async Task Run(CancellationToken ct)
                {
                    await using var own = await factory.OpenAsync(ct);
                    await own.ExecuteAsync("SELECT pg_advisory_lock(1)");
                    factory.CreateConnection().Execute("SELECT pg_advisory_lock(1)");
                }
            }
            """)
        .Silent("locks of the transaction", """conn.Execute("SELECT pg_advisory_xact_lock(42), pg_try_advisory_xact_lock(1)");""")
        .Silent("what the same text gives back", """conn.Execute("SELECT pg_advisory_lock(42); UPDATE orders SET name = 'a'; SELECT pg_advisory_unlock(42)");""")
        .Fires("what the same text gives back under another key", """conn.Execute("SELECT {|EFP0003:pg_advisory_lock|}(42); SELECT pg_advisory_unlock(43)");""")
        .Fires("keys that are put into the text, of which nobody knows whether they are the same",
            """
            db.Database.ExecuteSql($"SELECT {|EFP0003:pg_advisory_lock|}({id}); SELECT pg_advisory_unlock({id})");
            conn.Execute($"SELECT {|EFP0003:pg_advisory_lock|}({id}); SELECT pg_advisory_unlock({id})");
            """)
        .Silent("giving back", """conn.Execute("SELECT pg_advisory_unlock(42); SELECT pg_advisory_unlock_all()");""")
        .Silent("names that are not called",
            """"
            conn.Execute("""
                SELECT 'pg_advisory_lock(1)', pg_advisory_lock FROM t -- pg_advisory_lock(1)
                """);
            conn.Execute("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_lock(1) $$");
            conn.Execute("DO $$ BEGIN PERFORM pg_advisory_lock(1); END $$");
            """")
        .Silent("a leader's own connection",
            """
            await using var own = new NpgsqlConnection(text);
            await own.OpenAsync(ct);
            await own.ExecuteAsync("SELECT pg_advisory_lock(1)");
            """)
        .Silent("a leased session",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await using var session = await own.LeaseSessionAsync("leader", ct);
            await session.Connection.ExecuteAsync("SELECT pg_try_advisory_lock(1)");
            """)
        .Silent("a context that the same code configures without a pool",
            """
            await using var own = new AppDb(new DbContextOptionsBuilder<AppDb>().UseNpgsql(text).Options);
            await own.Database.OpenConnectionAsync(ct);
            await own.Database.ExecuteSqlAsync($"SELECT pg_advisory_lock(1)", ct);
            """)
        .Fires("a context that the same code configures with a pool",
            """
            await using var own = new AppDb(new DbContextOptionsBuilder<AppDb>().UseNpgsql(text).UseTransactionPooling().Options);
            await own.Database.ExecuteSqlAsync($"SELECT {|EFP0003:pg_advisory_lock|}(1)", ct);
            """)
        .Silent("a method that asks for a physical connection",
            """
            public static Task LockAsync(NpgsqlConnection leader, NpgsqlCommand command)
            {
                command.CommandText = "SELECT pg_advisory_lock(1)";
                return leader.ExecuteAsync("SELECT pg_advisory_lock(1)");
            }
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
