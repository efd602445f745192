using EfPooling.Analyzers.Rules;

namespace EfPooling.Analyzers.Tests;

public sealed class DowncastTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.Downcast, () => new DowncastAnalyzer())
        .Fires("a cast of the connection and of the transaction",
            """
            var first = {|EFP0015:(NpgsqlConnection)db.Database.GetDbConnection()|};
            var any = db.Database.GetDbConnection();
            var second = {|EFP0015:(NpgsqlConnection)any|};
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            var third = {|EFP0015:(NpgsqlTransaction)tx.GetDbTransaction()|};
            await tx.CommitAsync(ct);
            """)
        .Silent("a cast after a question",
            """
            var any = db.Database.GetDbConnection();
            if (any is NpgsqlConnection)
            {
                var own = (NpgsqlConnection)any;
            }
            """)
        .Silent("is and as",
            """
            if (db.Database.GetDbConnection() is NpgsqlConnection first) { _ = first; }
            var second = db.Database.GetDbConnection() as NpgsqlConnection;
            """)
        .Silent("what it is", "var pooled = (LogicalConnection)db.Database.GetDbConnection(); var upcast = (IDbConnection)db.Database.GetDbConnection();")
        .Silent("other connections", "var own = (NpgsqlConnection)conn; var any = (NpgsqlConnection)source.CreateConnection();")
        .Silent("a context that the same code configures without a pool",
            """
            await using var own = new AppDb(new DbContextOptionsBuilder<AppDb>().UseNpgsql(text).Options);
            var plain = (NpgsqlConnection)own.Database.GetDbConnection();
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
