namespace EfPooling.Analyzers.Tests;

public sealed class LocalWithoutTransactionTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.LocalWithoutTransaction, () => new SqlRulesAnalyzer())
        .Fires(
            "SET LOCAL when a connection opens",
            """
            public sealed class Tenant : DbConnectionInterceptor
            {
                public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
                {
                    using var command = connection.CreateCommand();
                    command.CommandText = "{|EFP0013:SET LOCAL|} app.tenant = '7'";
                    command.ExecuteNonQuery();
                }

                public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
                {
                    await connection.ExecuteAsync("SELECT {|EFP0013:set_config('app.tenant', '7', true)|}");
                    await connection.ExecuteAsync("SELECT {|EFP0013:pg_advisory_xact_lock(1)|}");
                }
            }
            """)
        .Silent("SET LOCAL when a transaction has begun",
            """
            public sealed class Tenant : DbTransactionInterceptor
            {
                public override DbTransaction TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result)
                {
                    connection.Execute("SET LOCAL app.tenant = '7'", transaction: result);
                    return result;
                }
            }
            """)
        .Silent("a method that begins a transaction, or has other statements in the text",
            """
            public sealed class Tenant : DbConnectionInterceptor
            {
                public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
                    => connection.Execute("SELECT set_config('role', 'a', true); UPDATE orders SET name = ''");

                public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
                {
                    await using var tx = await connection.BeginTransactionAsync(cancellationToken);
                    await connection.ExecuteAsync("SET LOCAL app.tenant = '7'", transaction: tx);
                    await tx.CommitAsync(cancellationToken);
                }
            }
            """)
        .Silent("an assembly with ambient transactions",
            """
            public sealed class Tenant : DbConnectionInterceptor
            {
                public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => connection.Execute("SET LOCAL app.tenant = '7'");
            }

            public static class Other
            {
                public static void Run() { using var scope = new System.Transactions.TransactionScope(); }
            }
            """)
        .Silent("another method of the interceptor",
            """
            public sealed class Tenant : DbConnectionInterceptor
            {
                public void Run(DbConnection connection) => connection.Execute("SET LOCAL app.tenant = '7'");

                public override void ConnectionClosed(DbConnection connection, ConnectionEndEventData eventData) => connection.Execute("SELECT set_config('a.b', '7', true)");
            }
            """)
        .Silent("an argument that is not known",
            """
            public sealed class Tenant(bool local) : DbConnectionInterceptor
            {
                public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
                    => connection.Execute($"SELECT set_config('app.tenant', '7', {local}); SET TRANSACTION READ ONLY");
            }
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
