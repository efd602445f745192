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
        .Fires("commands, batches, readers, and the connection of a transaction or command",
            """
            using var command = {|EFP0015:(NpgsqlCommand)db.Database.GetDbConnection().CreateCommand()|};
            using var plain = db.Database.GetDbConnection().CreateCommand();
            {|EFP0015:((NpgsqlCommand)plain)|}.Parameters.AddWithValue("a", 1);
            var of = {|EFP0015:(NpgsqlConnection)plain.Connection!|};
            using var batch = {|EFP0015:(NpgsqlBatch)db.Database.GetDbConnection().CreateBatch()|};
            using var reader = {|EFP0015:(NpgsqlDataReader)await plain.ExecuteReaderAsync(ct)|};
            using var begun = {|EFP0015:(NpgsqlTransaction)await db.Database.GetDbConnection().BeginTransactionAsync(ct)|};
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            var behind = {|EFP0015:(NpgsqlConnection)tx.GetDbTransaction().Connection!|};
            await using var pooled = {|EFP0015:(NpgsqlConnection)await pool.OpenConnectionAsync(ct)|};
            """.Replace("{|EFP0015:((NpgsqlCommand)plain)|}", "({|EFP0015:(NpgsqlCommand)plain|})", StringComparison.Ordinal)
                .Replace("(NpgsqlConnection)await pool.OpenConnectionAsync(ct)", "(NpgsqlConnection)(DbConnection)await pool.OpenConnectionAsync(ct)", StringComparison.Ordinal))
        .Fires("what interceptors are given, by base class and by interface",
            """
            public sealed class First : DbConnectionInterceptor
            {
                public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
                {
                    var own = {|EFP0015:(NpgsqlConnection)connection|};
                    var told = {|EFP0015:(NpgsqlConnection)eventData.Connection|};
                }
            }

            public sealed class Second : IDbCommandInterceptor
            {
                public DbCommand CommandInitialized(CommandEndEventData eventData, DbCommand result) { {|EFP0015:((NpgsqlCommand)result)|}.Parameters.Clear(); return result; }
            }

            public sealed class Third : IDbTransactionInterceptor
            {
                DbTransaction IDbTransactionInterceptor.TransactionStarted(DbConnection connection, TransactionEndEventData eventData, DbTransaction result) { var own = {|EFP0015:(NpgsqlTransaction)result|}; return result; }
            }
            """.Replace("{|EFP0015:((NpgsqlCommand)result)|}", "({|EFP0015:(NpgsqlCommand)result|})", StringComparison.Ordinal))
        .Fires("a transaction of a context's or the pool's that the type passes on to itself",
            """
            public async Task Run(CancellationToken ct)
            {
                await using var tx = await db.Database.BeginTransactionAsync(ct);
                First(tx.GetDbTransaction());
                Second(tx);
                await using var own = await pool.OpenConnectionAsync(ct);
                await using var begun = await own.BeginTransactionAsync(ct);
                First(begun);
            }

            private static void First(DbTransaction tx) { var own = {|EFP0015:(NpgsqlConnection)tx.Connection!|}; }

            public static void Second(IDbContextTransaction tx) { var own = {|EFP0015:(NpgsqlConnection)tx.GetDbTransaction().Connection!|}; }
            """)
        .Silent("a transaction that somebody else passes, or that may be Npgsql's own",
            """
            public static void First(DbTransaction tx) { var own = (NpgsqlConnection)tx.Connection!; }

            public void Third(DbTransaction other)
            {
                Fourth(db.Database.BeginTransaction().GetDbTransaction());
                Fourth(npgsql.BeginTransaction());
                Fifth(other);
                Action<DbTransaction> later = Sixth;
                Sixth(db.Database.BeginTransaction().GetDbTransaction());
            }

            private static void Fourth(DbTransaction tx) { var own = (NpgsqlConnection)tx.Connection!; }

            private static void Fifth(DbTransaction tx) { var own = (NpgsqlConnection)tx.Connection!; }

            private static void Sixth(DbTransaction tx) { var own = (NpgsqlConnection)tx.Connection!; }

            private static void Seventh(DbTransaction tx) { var own = (NpgsqlConnection)tx.Connection!; }
            """)
        .Silent("a guard of what a method is given",
            """
            public void Run() => Guard(db.Database.BeginTransaction().GetDbTransaction());

            private static void Guard(DbTransaction tx) { if (tx.Connection is not NpgsqlConnection own) throw new ArgumentException("Not Npgsql's."); own.ReloadTypes(); }
            """)
        .Fires("a question whose answer is not looked at, or is an exception",
            """
            var first = {|EFP0015:db.Database.GetDbConnection() as NpgsqlConnection|};
            first!.ReloadTypes();
            if ({|EFP0015:db.Database.GetDbConnection() is not NpgsqlConnection second|}) throw new InvalidOperationException();
            second.ReloadTypes();
            """)
        .Fires("a question about something else",
            """
            if (conn is NpgsqlConnection) { }
            var own = {|EFP0015:(NpgsqlConnection)db.Database.GetDbConnection()|};
            """)
        .Silent("questions whose answer is looked at",
            """
            var first = db.Database.GetDbConnection() as NpgsqlConnection;
            if (first is not null) { first.ReloadTypes(); }
            var second = db.Database.GetDbConnection() as NpgsqlConnection;
            second?.ReloadTypes();
            if (db.Database.GetDbConnection() is not NpgsqlConnection third) { return; }
            third.ReloadTypes();
            """)
        .Silent("Npgsql's own objects, a helper of an interceptor, and connections that nobody knows",
            """
            public sealed class First(NpgsqlConnection own) : DbConnectionInterceptor
            {
                public void Run(DbConnection other, DbCommand command)
                {
                    var first = (NpgsqlConnection)other;
                    var second = (NpgsqlConnection)(DbConnection)own;
                    using var third = (NpgsqlCommand)other.CreateCommand();
                    var fourth = (NpgsqlConnection)command.Connection!;
                    using var tx = own.BeginTransaction();
                    var fifth = (NpgsqlConnection)(DbConnection)tx.Connection!;
                    DbTransaction plain = tx;
                    var sixth = (NpgsqlConnection)plain.Connection!;
                }
            }
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
