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
        .Fires("another one is closed, and something else",
            """
            public async Task First(AppDb other, Stream stream)
            {
                await {|EFP0014:db.Database.OpenConnectionAsync()|};
                await other.Database.CloseConnectionAsync();
                stream.Close();
            }

            public async Task Second()
            {
                await db.Database.OpenConnectionAsync();
                await db.Database.CloseConnectionAsync();
            }
            """.Replace("Stream", "System.IO.Stream", StringComparison.Ordinal))
        .Silent("closed in Dispose, or by a method that is there for it",
            """
            public sealed class Scope : IDisposable
            {
                private readonly AppDb _db;
                private readonly bool _keep;

                public Scope(AppDb db, bool keep)
                {
                    (_db, _keep) = (db, keep);
                    if (keep) db.Database.OpenConnection();
                }

                public void Dispose() { if (_keep) _db.Database.CloseConnection(); }
            }

            public sealed class Session(AppDb db)
            {
                public Task StartAsync() => db.Database.OpenConnectionAsync();

                public Task EndAsync() => db.Database.CloseConnectionAsync();
            }
            """)
        .Silent("disposed of with its context",
            """
            public sealed class Scope(AppDb db) : IAsyncDisposable
            {
                private readonly AppDb _db = db;

                public Task StartAsync() => _db.Database.OpenConnectionAsync();

                public ValueTask DisposeAsync() => _db.DisposeAsync();
            }
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
