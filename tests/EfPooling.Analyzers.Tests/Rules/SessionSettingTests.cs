namespace EfPooling.Analyzers.Tests;

public sealed class SessionSettingTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.SessionSetting, () => new SqlRulesAnalyzer(), () => new SessionSettingFix())
        .Fires(
            "outside a transaction nothing is offered, whatever is named so",
            """
            var transaction = "BEGIN TRANSACTION";
            await db.Database.ExecuteSqlRawAsync("{|EFP0001:SET app.tenant|} = '7'", ct);
            await using var tx = await conn.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlRawAsync("{|EFP0001:SET app.tenant|} = '7'", ct);
            await tx.CommitAsync(ct);
            await conn.ExecuteAsync("SELECT {|EFP0001:set_config('app.tenant', '7', false)|}");
            """,
            """
            var transaction = "BEGIN TRANSACTION";
            await db.Database.ExecuteSqlRawAsync("SET app.tenant = '7'", ct);
            await using var tx = await conn.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlRawAsync("SET app.tenant = '7'", ct);
            await tx.CommitAsync(ct);
            await conn.ExecuteAsync("SELECT set_config('app.tenant', '7', false)");
            """)
        .Silent(
            "an interceptor that has the interface, not the base class",
            """
            public sealed class Tenant : IDbConnectionInterceptor
            {
                public void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Apply(connection);

                Task IDbConnectionInterceptor.ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken)
                    => connection.ExecuteAsync("SET enable_seqscan = off");

                private static void Apply(DbConnection connection) => connection.Execute("SET enable_seqscan = off");
            }
            """)
        .Fires(
            "SET in EF Core's raw SQL",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            db.Database.ExecuteSqlRaw("{|EFP0001:SET app.tenant|} = '7'");
            """,
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            db.Database.ExecuteSqlRaw("SET LOCAL app.tenant = '7'");
            """)
        .Fires(
            "set_config with false in interpolated SQL",
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"SELECT {|EFP0001:set_config('app.tenant', {text}, false)|}", ct);
            """,
            """
            await using var tx = await db.Database.BeginTransactionAsync(ct);
            await db.Database.ExecuteSqlAsync($"SELECT set_config('app.tenant', {text}, true)", ct);
            """)
        .Fires(
            "SET SESSION through Dapper",
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("{|EFP0001:set session statement_timeout|} to 0");
            """,
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("set LOCAL statement_timeout to 0");
            """)
        .Fires(
            "several statements in a raw string",
            """"
            await using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("""
                {|EFP0001:SET search_path|} = a;
                SELECT 'SET x = 1'; -- SET y = 1
                {|EFP0001:SET ROLE reader|};
                """);
            """",
            """"
            await using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("""
                SET LOCAL search_path = a;
                SELECT 'SET x = 1'; -- SET y = 1
                SET LOCAL ROLE reader;
                """);
            """")
        .Fires(
            "an escaped and a verbatim literal",
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("SELECT \"a\";\n{|EFP0001:SET x.y|} = 'b'");
            conn.Execute(@"SELECT ""a"", '\'; {|EFP0001:SET x.y|} = 'b'");
            conn.Execute($"SELECT '{{}}'; {|EFP0001:SET x.y|} = '{text}'");
            conn.Execute($@"SELECT ""a"", '{{}}'; {|EFP0001:SET x.y|} = '{text}'");
            """,
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("SELECT \"a\";\nSET LOCAL x.y = 'b'");
            conn.Execute(@"SELECT ""a"", '\'; SET LOCAL x.y = 'b'");
            conn.Execute($"SELECT '{{}}'; SET LOCAL x.y = '{text}'");
            conn.Execute($@"SELECT ""a"", '{{}}'; SET LOCAL x.y = '{text}'");
            """)
        .Fires(
            "RESET and what has no form for a transaction are not mended",
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("{|EFP0001:RESET ALL|}");
            conn.Execute("{|EFP0001:SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY|}");
            """,
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            conn.Execute("RESET ALL");
            conn.Execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY");
            """)
        .Fires(
            "a text that stands elsewhere is reported where it is used, and left alone",
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            const string Sql = "SET x.y = 1";
            conn.Execute({|EFP0001:Sql|});
            var begin = "SET x.y = '";
            conn.Execute({|EFP0001:begin + text + "'"|});
            """,
            """
            await using var tx = await conn.BeginTransactionAsync(ct);
            const string Sql = "SET x.y = 1";
            conn.Execute(Sql);
            var begin = "SET x.y = '";
            conn.Execute(begin + text + "'");
            """)
        .Fires(
            "commands, batches and command definitions",
            """
            using var command = conn.CreateCommand();
            command.CommandText = "{|EFP0001:SET x.y|} = 1";
            var plain = (NpgsqlConnection)db.Database.GetDbConnection();
            using var second = new NpgsqlCommand("{|EFP0001:SET x.y|} = 1", plain);
            using var third = new NpgsqlCommand { Connection = plain, CommandText = "{|EFP0001:SET x.y|} = 1" };
            using var batch = new NpgsqlBatch(plain) { BatchCommands = { new("{|EFP0001:SET x.y|} = 1") } };
            using var fourth = pool.CreateCommand("{|EFP0001:SET x.y|} = 1");
            await conn.ExecuteAsync(new CommandDefinition("{|EFP0001:SET x.y|} = 1", cancellationToken: ct));
            """)
        .Fires("without a transaction the fix would do nothing, so there is none",
            """
            db.Database.ExecuteSqlRaw("{|EFP0001:SET app.tenant|} = '7'");
            await db.Database.ExecuteSqlAsync($"SELECT {|EFP0001:set_config('app.tenant', {text}, false)|}", ct);
            await using var other = await factory.CreateDbContextAsync(ct);
            await other.Database.OpenConnectionAsync(ct);
            """,
            """
            db.Database.ExecuteSqlRaw("SET app.tenant = '7'");
            await db.Database.ExecuteSqlAsync($"SELECT set_config('app.tenant', {text}, false)", ct);
            await using var other = await factory.CreateDbContextAsync(ct);
            await other.Database.OpenConnectionAsync(ct);
            """)
        .Silent("what an interceptor does to each connection that is opened",
            """
            public sealed class Tenant : DbConnectionInterceptor
            {
                public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => connection.Execute("SET app.tenant = '7'");

                public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
                    => connection.ExecuteAsync("SELECT set_config('app.tenant', '7', false)");
            }
            """)
        .Silent("a connection that this code holds open",
            """
            await db.Database.OpenConnectionAsync(ct);
            try
            {
                await db.Database.ExecuteSqlRawAsync("SET statement_timeout = 1000", ct);
                await db.Database.GetDbConnection().ExecuteAsync("SET statement_timeout = 1000");
                await db.Orders.CountAsync(ct);
            }
            finally
            {
                await db.Database.CloseConnectionAsync();
            }

            await conn.OpenAsync(ct);
            await conn.ExecuteAsync("SET statement_timeout = 1000");
            """)
        .Fires("another one is held open",
            """
            await using var other = await factory.CreateDbContextAsync(ct);
            await other.Database.OpenConnectionAsync(ct);
            await db.Database.ExecuteSqlRawAsync("{|EFP0001:SET statement_timeout|} = 1000", ct);
            """)
        .Silent("a connection from a factory",
            """
            public interface IFactory { IDbConnection CreateConnection(); Task<DbConnection> OpenAsync(CancellationToken ct); DbConnection Connection { get; } }

            public class Example(IFactory factory, Lazy<DbConnection> lazy, string text)
            {
                private DbConnection? _own;

                public async Task Run(CancellationToken ct)
                {
                    using var first = factory.CreateConnection();
                    first.Execute("SET x.y = 1");
                    await using var second = await factory.OpenAsync(ct).ConfigureAwait(false);
                    await second.ExecuteAsync("SET x.y = 1");
                    using var third = Open();
                    third.Execute("SET x.y = 1");
                    using var fourth = text.Length > 3 ? (DbConnection)new NpgsqlConnection(text) : throw new InvalidOperationException();
                    fourth.Execute("SET x.y = 1");
                    lazy.Value.Execute("SET x.y = 1");
                    factory.Connection.Execute("SET x.y = 1");
                    _own ??= await factory.OpenAsync(ct);
                    _own.Execute("SET x.y = 1");
                }

                private DbConnection Open() => new NpgsqlConnection(text);
            }
            """)
        .Fires("a text in a constant or a static field, whose type has nothing that makes it another one",
            """
            public static class Sql { public const string First = "SET app.tenant = 7"; public static readonly string Second = "SET app.tenant = 8"; }

            public static class Other { public static readonly string Third = "SET app.tenant = 9"; static Other() => Third = ""; }

            public class Example(AppDb db)
            {
                public void Run()
                {
                    db.Database.ExecuteSqlRaw({|EFP0001:Sql.First|});
                    db.Database.ExecuteSqlRaw({|EFP0001:Sql.Second|});
                    db.Database.ExecuteSqlRaw(Other.Third);
                }
            }
            """)
        .Silent("settings of other servers",
            """
            await db.Database.ExecuteSqlRawAsync("SET FOREIGN_KEY_CHECKS = 0;", ct);
            await db.Database.ExecuteSqlRawAsync("SET GLOBAL local_infile = 1; SET SESSION sql_mode = ''; SET unique_checks = 0; SET autocommit = 1", ct);
            await db.Database.ExecuteSqlRawAsync("SET NAMES utf8mb4; SET NAMES 'utf8mb4'; SET CHARACTER SET utf8; SET time_zone = '+00:00'; SET PERSIST max_connections = 7", ct);
            await db.Database.ExecuteSqlRawAsync("SET IDENTITY_INSERT [dbo].[Sections] ON; SET NOCOUNT ON; UPDATE orders SET seen = 1", ct);
            await conn.ExecuteAsync("SET SQL_SAFE_UPDATES = 0; RESET QUERY CACHE; SET no_such_setting = 1");
            """)
        .Fires("every kind of name that PostgreSQL has",
            """
            await conn.ExecuteAsync("{|EFP0001:SET Statement_Timeout|} = 0; {|EFP0001:SET work_mem|} TO '1MB'; {|EFP0001:SET app.tenant|} = 7; {|EFP0001:SET SESSION lock_timeout|} = 7");
            await conn.ExecuteAsync("{|EFP0001:SET NAMES|} 'utf8'; {|EFP0001:SET TIME ZONE|} 'UTC'; {|EFP0001:SET SESSION AUTHORIZATION x|}; {|EFP0001:RESET timezone|}; {|EFP0001:RESET app.tenant|}");
            """)
        .Silent("SET LOCAL, SET TRANSACTION and SET CONSTRAINTS",
            """
            conn.Execute("SET LOCAL x.y = 1; SET TRANSACTION READ ONLY; SET CONSTRAINTS ALL DEFERRED");
            db.Database.ExecuteSql($"SELECT set_config('app.tenant', {text}, true)");
            """)
        .Silent("SET in another statement",
            """"
            conn.Execute("UPDATE orders SET name = 'a'; ALTER ROLE x SET search_path = a");
            conn.Execute("""
                CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = a AS $$ SELECT set_config('a.b', 'c', false) $$;
                DO $$ BEGIN SET x.y = 1; END $$;
                INSERT INTO orders (name) VALUES ('SET x = 1'), (E'\'; SET x = 1'), ("SET") /* SET x = 1; /* SET y */ SET z */
                """);
            """")
        .Silent("an argument that is not known",
            """
            var isLocal = DateTime.Now.Hour > 3;
            db.Database.ExecuteSql($"SELECT set_config('app.tenant', {text}, {isLocal})");
            conn.Execute($"SET {text} x.y = 1");
            conn.Execute(text);
            """)
        .Silent("a connection of its own",
            """
            await using var own = new NpgsqlConnection(text);
            await own.OpenAsync(ct);
            await own.ExecuteAsync("SET x.y = 1");
            await using var second = await source.OpenConnectionAsync(ct);
            await using var command = second.CreateCommand();
            command.CommandText = "SET x.y = 1";
            using var third = new NpgsqlCommand("SET x.y = 1", second);
            using var fourth = new NpgsqlCommand("SET x.y = 1");
            fourth.Connection = own;
            """)
        .Silent("a connection that this code has opened from the pool",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await own.ExecuteAsync("SET work_mem = '64MB'");
            """)
        .Silent("a leased session",
            """
            await using var own = await pool.OpenConnectionAsync(ct);
            await using var session = await own.LeaseSessionAsync("report", ct);
            await session.Connection.ExecuteAsync("SET work_mem = '64MB'");
            var plain = session.Connection;
            using var command = new NpgsqlCommand("SET work_mem = '64MB'", plain);
            """)
        .Silent("a field that holds a connection of its own",
            """
            private NpgsqlConnection? _leader;

            public void Start() { _leader = new NpgsqlConnection("Host=a"); _leader.Execute("SET x.y = 1"); }
            """)
        .Silent("a connection that another method opens for it",
            """
            public async Task Run() { await using var own = await OpenAsync(); own.Execute("SET x.y = 1"); }

            private static Task<NpgsqlConnection> OpenAsync() => Task.FromResult(new NpgsqlConnection());
            """)
        .Silent("Npgsql's own objects, which the pool never hands out",
            """
            npgsql.Execute("SET x.y = 1");
            using var command = new NpgsqlCommand("SET x.y = 1", npgsql);
            using var batch = new NpgsqlBatch(npgsql) { BatchCommands = { new("SET x.y = 1") } };
            using var later = new NpgsqlCommand("SET x.y = 1");
            """)
        .Silent("migrations",
            """
            public sealed class Setup : Microsoft.EntityFrameworkCore.Migrations.Migration
            {
                protected override void Up(Microsoft.EntityFrameworkCore.Migrations.MigrationBuilder migrationBuilder) => migrationBuilder.Sql("SET x.y = 1");
            }
            """)
        .Silent("a stored procedure and an unfinished text",
            """
            conn.Execute("reset", commandType: CommandType.StoredProcedure);
            conn.Execute("SET x.y = 'a");
            """)
        .Silent("another provider",
            """
            public sealed class OtherCommand : DbCommand
            {
                public OtherCommand(string cmdText) => CommandText = cmdText;
                #nullable disable
                public override string CommandText { get; set; }
                #nullable restore
                public override int CommandTimeout { get; set; }
                public override CommandType CommandType { get; set; }
                public override bool DesignTimeVisible { get; set; }
                public override UpdateRowSource UpdatedRowSource { get; set; }
                protected override DbConnection? DbConnection { get; set; }
                protected override DbParameterCollection DbParameterCollection => null!;
                protected override DbTransaction? DbTransaction { get; set; }
                public override void Cancel() { }
                public override int ExecuteNonQuery() => 0;
                public override object? ExecuteScalar() => null;
                public override void Prepare() { }
                protected override DbParameter CreateDbParameter() => null!;
                protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => null!;

                public static void Use(OtherCommand command)
                {
                    command.CommandText = "SET x = 1";
                    _ = new OtherCommand("SET x = 1");
                }
            }
            """)
        .Add(new RuleCase("A project that has switched the rules off", """conn.Execute("SET x.y = 1");""")
        {
            Options = new Dictionary<string, string> { ["build_property.EfpTransactionPooling"] = "False" },
        });

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
