namespace EfPooling.Analyzers.Tests;

public sealed class TransactionTextTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.TransactionText, () => new SqlRulesAnalyzer())
        .Fires(
            "BEGIN and COMMIT as text",
            """
            conn.Execute("{|EFP0006:BEGIN|}");
            conn.Execute("UPDATE orders SET name = 'a'");
            conn.Execute("{|EFP0006:COMMIT|};");
            """)
        .Fires(
            "all forms",
            """
            conn.Execute("{|EFP0006:BEGIN ISOLATION|} LEVEL SERIALIZABLE; {|EFP0006:START TRANSACTION|}; {|EFP0006:end|}; {|EFP0006:ABORT|}; {|EFP0006:ROLLBACK|} ");
            conn.Execute("{|EFP0006:ROLLBACK AND|} CHAIN; {|EFP0006:COMMIT WORK|}; {|EFP0006:PREPARE TRANSACTION|} 'a'; {|EFP0006:COMMIT PREPARED|} 'a'");
            """)
        .Fires(
            "a batch",
            """
            using var batch = conn.CreateBatch();
            var first = batch.CreateBatchCommand();
            first.CommandText = "{|EFP0006:BEGIN|}";
            batch.BatchCommands.Add(first);
            """)
        .Fires("a text that is joined of many pieces",
            """
            conn.Execute("SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "SELECT 1;" + "{|EFP0006:COMMIT|}");
            """)
        .Silent("a text on Npgsql's own data source, or on one that may be",
            """
            public void Run(DbDataSource any)
            {
                using var physical = source.CreateCommand("BEGIN; SELECT 1; COMMIT");
                using var unknown = any.CreateCommand("BEGIN; SELECT 1; COMMIT");
            }
            """)
        .Silent("a stored procedure of that name",
            """
            using var command = conn.CreateCommand();
            command.CommandType = CommandType.StoredProcedure;
            command.CommandText = "commit";
            using var second = new NpgsqlCommand { Connection = (NpgsqlConnection)db.Database.GetDbConnection(), CommandText = "commit", CommandType = CommandType.StoredProcedure };
            using var third = new NpgsqlCommand("commit", (NpgsqlConnection)db.Database.GetDbConnection()) { CommandType = CommandType.StoredProcedure };
            using var fourth = new NpgsqlCommand("commit", (NpgsqlConnection)db.Database.GetDbConnection());
            fourth.CommandType = CommandType.StoredProcedure;
            """)
        .Fires("text beside a stored procedure",
            """
            using var command = conn.CreateCommand();
            command.CommandType = CommandType.StoredProcedure;
            using var second = conn.CreateCommand();
            second.CommandType = CommandType.Text;
            second.CommandText = "{|EFP0006:commit|}";
            """)
        .Silent("a transaction that the text begins and ends", """conn.Execute("START TRANSACTION; UPDATE orders SET name = 'a'; COMMIT"); conn.Execute("BEGIN; ROLLBACK");""")
        .Fires(
            "a transaction within another one",
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("{|EFP0006:BEGIN|}; UPDATE orders SET name = 'a'; {|EFP0006:COMMIT|}", transaction: tx);
            """)
        .Silent("savepoints", """conn.Execute("SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; RELEASE a");""")
        .Silent("bodies and data",
            """"
            conn.Execute("""
                DO $$ BEGIN COMMIT; END $$;
                CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END;
                SELECT CASE WHEN true THEN 'BEGIN' ELSE 'COMMIT' END -- ; BEGIN
                """);
            """")
        .Silent("other dialects", """conn.Execute("BEGIN TRY SELECT 1"); conn.Execute("BEGIN IMMEDIATE"); conn.Execute("COMMIT TRAN");""")
        .Silent("a connection of its own", """await using var own = new NpgsqlConnection(text); own.Execute("BEGIN"); own.Execute("COMMIT");""")
        .Silent("the API", """await using var tx = await conn.BeginTransactionAsync(ct); await tx.CommitAsync(ct);""");

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
