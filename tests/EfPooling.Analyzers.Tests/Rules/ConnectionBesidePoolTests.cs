using EfPooling.Analyzers.Rules;

namespace EfPooling.Analyzers.Tests;

public sealed class ConnectionBesidePoolTests
{
    private const string Pool = "public static class Setup { public static void Add(DbContextOptionsBuilder options) => options.UseNpgsql(\"Host=a\").UseTransactionPooling(); }\n";

    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.ConnectionBesidePool, () => new ConnectionBesidePoolAnalyzer())
        .Fires("connections of Npgsql's in a project with a pool",
            Pool + """
            public static class Work
            {
                public static async Task Run(NpgsqlDataSource source)
                {
                    await using var own = {|EFP0016:new NpgsqlConnection("Host=a")|};
                    await using var second = await {|EFP0016:source.OpenConnectionAsync()|};
                    await own.ExecuteAsync("DELETE FROM orders");
                }
            }
            """)
        .Fires("a pool registered as a service",
            """
            public static class Work
            {
                public static void Add(IServiceCollection services) => services.AddTransactionPooling("Host=a");
                public static object Run() => {|EFP0016:new NpgsqlConnection("Host=a")|};
            }
            """)
        .Fires("words that only look like a reason",
            Pool + """
            public static class Work
            {
                public static void Page() { using var own = {|EFP0016:new NpgsqlConnection("Host=a")|}; own.Query("SELECT id FROM orders ORDER BY id LIMIT 10 OFFSET 1"); }
                public static void Count() { using var own = {|EFP0016:new NpgsqlConnection("Host=a")|}; own.Execute("UPDATE jobs SET attempts = attempts + 1"); }
            }
            """)
        .Silent("a project without a pool", """public static class Work { public static object Run() => new NpgsqlConnection("Host=a"); }""")
        .Silent("a member that shows a reason",
            Pool + """
            public static class Work
            {
                public static async Task ListenAsync() { await using var own = new NpgsqlConnection("Host=a"); await own.ExecuteAsync("LISTEN orders"); }
                public static async Task LockAsync(NpgsqlDataSource source) { await using var own = await source.OpenConnectionAsync(); await own.ExecuteAsync($"SELECT pg_advisory_lock({1})"); }
                public static async Task WaitAsync() { await using var own = new NpgsqlConnection("Host=a"); await own.WaitAsync(); }
                public static void CopyIn() { using var own = new NpgsqlConnection("Host=a"); using var writer = own.BeginTextImport("x"); }
            }
            """)
        .Silent("a reason in a constant or field, or in what gets the connection",
            Pool + """
            public static class Sql { public const string Lock = "SELECT pg_advisory_lock(@k)"; public static readonly string Listen = "LISTEN orders"; }

            public sealed class Holder
            {
                private const string Take = "SELECT pg_advisory_lock(1)";
                private NpgsqlConnection? _own;

                public async Task<object> First() { var own = new NpgsqlConnection("Host=a"); await own.ExecuteAsync(Take); return own; }
                public async Task<object> Second() { var own = new NpgsqlConnection("Host=a"); await own.ExecuteAsync(Sql.Lock); return own; }
                public async Task<object> Third() { var own = new NpgsqlConnection("Host=a"); await own.ExecuteAsync(Sql.Listen); return own; }
                public async Task<object> Fourth() { var own = new NpgsqlConnection("Host=a"); await LockAsync(own); return own; }
                public async Task<object> Fifth() { var own = new NpgsqlConnection("Host=a"); await own.HoldAsync(); return own; }
                public void Sixth() => _own = new NpgsqlConnection("Host=a");
                public void Wait() => _own!.Wait();

                private static Task LockAsync(DbConnection own) => own.ExecuteAsync(Take);
            }

            public static class Locks { public static Task HoldAsync(this DbConnection own) => own.ExecuteAsync("SELECT pg_advisory_lock(1)"); }
            """)
        .Fires("a reason that is another member's",
            Pool + """
            public sealed class Holder
            {
                private const string Take = "SELECT pg_advisory_lock(1)";

                public void Count() { using var own = {|EFP0016:new NpgsqlConnection("Host=a")|}; own.Execute("DELETE FROM orders"); }

                public void Lock() { using var own = new NpgsqlConnection("Host=a"); own.Execute(Take); }
            }
            """)
        .Fires("a context that is taken out of its pool",
            Pool + """
            public static class Work
            {
                public static void First(DbContext db) => {|EFP0016:db.Database.SetDbConnection(new NpgsqlConnection("Host=a"))|};
                public static void Second(DbContext db, NpgsqlConnection own) => {|EFP0016:db.Database.SetDbConnection(own)|};
                public static void Third(DbContext db, NpgsqlDataSource source) => {|EFP0016:db.Database.SetDbConnection({|EFP0016:source.CreateConnection()|}, true)|};
                public static void Fourth(DbContext db, NpgsqlDataSource source) { var own = {|EFP0016:source.OpenConnection()|}; {|EFP0016:db.Database.SetDbConnection(own)|}; }
                public static void Fifth(DbContext db, NpgsqlConnection one, NpgsqlConnection two, bool first) { DbConnection own = one; {|EFP0016:db.Database.SetDbConnection(own)|}; }
            }
            """)
        .Silent("a context that gets a connection of the pool, or one that the code does not show",
            Pool + """
            public static class Work
            {
                public static void First(DbContext db, TransactionPoolingDataSource pool) => db.Database.SetDbConnection(pool.CreateConnection());
                public static void Second(DbContext db, DbConnection other) => db.Database.SetDbConnection(other);
                public static void Third(DbContext db) => db.Database.SetDbConnection(null);
                public static void Fourth(DbContext db, NpgsqlDataSource source) => db.Database.SetDbDataSource(source);
                public static void Fifth(DbContext db, DbDataSource source) => db.Database.SetDbConnection(source.CreateConnection());
                public static void Sixth(DbContext db, DbDataSource source) { var own = source.OpenConnection(); db.Database.SetDbConnection(own); }
            }
            """)
        .Silent("connections of the pool",
            Pool + """
            public static class Work { public static async Task Run(TransactionPoolingDataSource pool) { await using var own = await pool.OpenConnectionAsync(); } }
            """)
        .Add(new RuleCase("tests", Pool + """public static class Work { public static object Run() => new NpgsqlConnection("Host=a"); }""") { InTestProject = true });

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
