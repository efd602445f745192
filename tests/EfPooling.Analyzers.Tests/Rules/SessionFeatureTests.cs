namespace EfPooling.Analyzers.Tests;

public sealed class SessionFeatureTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.SessionFeature, () => new SqlRulesAnalyzer())
        .Fires(
            "LISTEN and UNLISTEN",
            """
            db.Database.ExecuteSqlRaw("{|EFP0004:LISTEN orders|}");
            conn.Execute($"{|EFP0004:unlisten|} *");
            conn.Execute($"{|EFP0004:LISTEN|} {text}");
            """)
        .Fires(
            "statements prepared as text",
            """
            conn.Execute("{|EFP0004:PREPARE p|} AS SELECT 1; {|EFP0004:EXECUTE p|}(1); {|EFP0004:EXECUTE p|}; {|EFP0004:DEALLOCATE ALL|}");
            """)
        .Fires(
            "held cursors, libraries and DISCARD",
            """
            conn.Execute("{|EFP0004:DECLARE c|} CURSOR WITH HOLD FOR SELECT 1");
            conn.Execute("{|EFP0004:LOAD|} 'auto_explain'");
            conn.Execute("{|EFP0004:DISCARD ALL|}");
            """)
        .Fires(
            "a connection opened from the pool",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await own.ExecuteAsync("{|EFP0004:LISTEN orders|}");
            """)
        .FiresInProgram("what the session remembers of an earlier command, and what functions leave in it",
            """
            await db.Database.ExecuteSqlRawAsync("INSERT INTO orders DEFAULT VALUES", ct);
            var last = await db.Database.SqlQueryRaw<long>("SELECT {|EFP0004:lastval()|} AS \"Value\"").SingleAsync(ct);
            var current = await conn.ExecuteScalarAsync<long>("SELECT {|EFP0004:currval('orders_id_seq')|}");
            await conn.ExecuteAsync("SELECT {|EFP0004:setseed(0.5)|}");
            await conn.ExecuteAsync("SELECT {|EFP0004:dblink_connect('other', 'host=b')|}");
            """)
        .Silent("lastval in the same text or transaction, and of the caller's",
            """
            public async Task First(CancellationToken ct)
            {
                await conn.ExecuteScalarAsync<long>("INSERT INTO orders DEFAULT VALUES; SELECT lastval()");
                await using var tx = await db.Database.BeginTransactionAsync(ct);
                await db.Database.ExecuteSqlRawAsync("INSERT INTO orders DEFAULT VALUES", ct);
                var last = await db.Database.SqlQueryRaw<long>("SELECT lastval() AS \"Value\"").SingleAsync(ct);
                await tx.CommitAsync(ct);
            }

            public static Task<long> Second(DbConnection own) => own.ExecuteScalarAsync<long>("SELECT lastval()")!;

            public static async Task<long> Third(NpgsqlDataSource source) { await using var own = await source.OpenConnectionAsync(); return await own.ExecuteScalarAsync<long>("SELECT lastval()"); }
            """)
        .Silent("a connection from a factory",
            """
            public interface IFactory { IDbConnection CreateConnection(); Task<DbConnection> OpenAsync(CancellationToken ct); }

            public class Example(IFactory factory)
            {
                public async Task Run(CancellationToken ct)
                {
                    await using var own = await factory.OpenAsync(ct);
                    await own.ExecuteAsync("LISTEN orders");
                    factory.CreateConnection().Execute("LISTEN orders");
                }
            }
            """)
        .Silent("what the same text ends", """conn.Execute("LISTEN a; SELECT 1; UNLISTEN a"); conn.Execute("PREPARE p AS SELECT 1; EXECUTE p; DEALLOCATE p");""")
        .Silent("NOTIFY and cursors of a transaction",
            """
            conn.Execute("NOTIFY orders, 'a'; SELECT pg_notify('orders', 'a')");
            conn.Execute("DECLARE c CURSOR WITHOUT HOLD FOR SELECT 1; FETCH c; CLOSE c");
            """)
        .Silent("what belongs to other rules or dialects",
            """
            conn.Execute("PREPARE TRANSACTION 'a'");
            conn.Execute("EXECUTE dbo.work");
            conn.Execute("LOAD DATA INFILE 'x' INTO TABLE y");
            conn.Execute("SELECT 'LISTEN x'");
            """)
        .Silent("a listener with a connection of its own",
            """
            await using var own = await source.OpenConnectionAsync(ct);
            await own.ExecuteAsync("LISTEN orders");
            await using var batch = new NpgsqlBatch(own);
            batch.BatchCommands.Add(new NpgsqlBatchCommand("LISTEN a"));
            var second = new NpgsqlBatchCommand("LISTEN b");
            batch.BatchCommands.Add(second);
            await own.ExecuteAsync(new CommandDefinition("LISTEN c", cancellationToken: ct));
            var third = new CommandDefinition("LISTEN d", cancellationToken: ct);
            await own.ExecuteAsync(third);
            """)
        .Silent("a data source whose kind the type does not tell",
            """
            public static async Task Run(DbDataSource any) { await using var own = await any.OpenConnectionAsync(); await own.ExecuteAsync("LISTEN a"); }
            """)
        .Silent("the connection of a listener class",
            """
            private readonly NpgsqlConnection _listener = new("Host=a");

            public Task StartAsync() => _listener.ExecuteAsync("LISTEN orders");
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
