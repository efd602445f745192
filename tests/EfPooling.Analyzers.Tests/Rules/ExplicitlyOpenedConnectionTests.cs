using EfPooling.Analyzers.Rules;

namespace EfPooling.Analyzers.Tests;

public sealed class ExplicitlyOpenedConnectionTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.ExplicitlyOpenedConnection, () => new ExplicitlyOpenedConnectionAnalyzer())
        .Fires("an injected context is opened and left open",
            """
            await {|EFP0014:db.Database.OpenConnectionAsync(ct)|};
            var count = await db.Orders.CountAsync(ct);
            """)
        .Fires("in a context itself",
            """
            public sealed class Own(DbContextOptions options) : DbContext(options) { public void Open() => {|EFP0014:Database.OpenConnection()|}; }
            """)
        .Silent("closed in the same method",
            """
            await db.Database.OpenConnectionAsync(ct);
            try { await db.Orders.CountAsync(ct); }
            finally { await db.Database.CloseConnectionAsync(); }
            """)
        .Silent("a context of the method's own",
            """
            await using var own = await factory.CreateDbContextAsync(ct);
            await own.Database.OpenConnectionAsync(ct);
            """)
        .Silent("opened for ADO.NET",
            """
            await db.Database.OpenConnectionAsync(ct);
            await using var command = db.Database.GetDbConnection().CreateCommand();
            """)
        .Silent("connections that are no context's", "await conn.OpenAsync(ct);");

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
