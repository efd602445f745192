using EfPooling.Analyzers.Rules;

namespace EfPooling.Analyzers.Tests;

public sealed class LongLivedHolderTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.LongLivedHolder, () => new LongLivedHolderAnalyzer())
        .Fires("static fields and properties",
            """
            public static class Globals
            {
                public static AppDb? {|EFP0012:Db|};
                public static DbConnection {|EFP0012:Connection|} { get; } = null!;
                private static readonly Lazy<AppDb> {|EFP0012:Later|} = new(() => null!);
                private static IDbContextTransaction? {|EFP0012:_transaction|};
                public static void Use() { _ = Later; _transaction = null; _ = _transaction; }
            }
            """)
        .Fires("a hosted service",
            """
            public sealed class Worker(AppDb {|EFP0012:db|}) : BackgroundService
            {
                protected override Task ExecuteAsync(CancellationToken stoppingToken) => db.SaveChangesAsync(stoppingToken);
            }

            public sealed class Second : IHostedService
            {
                public Second(DbConnection {|EFP0012:connection|}) => _ = connection;
                public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
                public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
            }
            """)
        .Fires("middleware by convention",
            """
            public sealed class Middleware(Microsoft.AspNetCore.Http.RequestDelegate next, AppDb {|EFP0012:db|})
            {
                public Task InvokeAsync(Microsoft.AspNetCore.Http.HttpContext context) { _ = db; return next(context); }
            }
            """)
        .Fires("singletons",
            """
            public sealed class Cache(AppDb db) { public AppDb Db => db; }

            public static class Setup
            {
                public static void Add(IServiceCollection services)
                {
                    services.{|EFP0012:AddSingleton<NpgsqlConnection>|}();
                    services.{|EFP0012:AddSingleton<DbConnection>|}(_ => null!);
                    services.{|EFP0012:AddSingleton<Cache>|}();
                    services.{|EFP0012:AddSingleton<object, Cache>|}();
                    services.{|EFP0012:AddDbContext<AppDb>|}(options => { }, ServiceLifetime.Singleton);
                }
            }
            """)
        .Add(new RuleCase("a test project is told too, as a suggestion", "public static class Globals { public static AppDb? {|EFP0012:Db|}; }") { InTestProject = true })
        .Silent("a singleton of another provider behind the base class",
            """
            public sealed class MemoryConnection : DbConnection
            {
                public override string ConnectionString { get; set; } = "";
                public override string Database => "";
                public override string DataSource => "";
                public override string ServerVersion => "";
                public override ConnectionState State => ConnectionState.Open;
                public override void ChangeDatabase(string databaseName) { }
                public override void Close() { }
                public override void Open() { }
                protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => null!;
                protected override DbCommand CreateDbCommand() => null!;
            }

            public static class Setup
            {
                public static void Add(IServiceCollection services) => services.AddSingleton<DbConnection>(_ => new MemoryConnection());
            }
            """)
        .Silent("what makes one for each piece of work",
            """
            public sealed class Worker(IDbContextFactory<AppDb> factory, NpgsqlDataSource source, TransactionPoolingDataSource pool, IServiceScopeFactory scopes) : BackgroundService
            {
                private static readonly Lazy<NpgsqlDataSource> Source = new(() => null!);
                [ThreadStatic] private static AppDb? _own;
                private static readonly AsyncLocal<AppDb?> Current = new();
                private NpgsqlConnection? _listener;

                protected override async Task ExecuteAsync(CancellationToken stoppingToken)
                {
                    await using var db = await factory.CreateDbContextAsync(stoppingToken);
                    await using var second = await source.OpenConnectionAsync(stoppingToken);
                    _listener = second;
                    _ = (Source, _own, Current, pool, scopes, _listener);
                }
            }
            """)
        .Silent("scoped services, and middleware that takes it per request",
            """
            public sealed class Service(AppDb db) { public AppDb Db => db; }

            public sealed class Middleware(Microsoft.AspNetCore.Http.RequestDelegate next)
            {
                public Task InvokeAsync(Microsoft.AspNetCore.Http.HttpContext context, AppDb db) { _ = db; return next(context); }
            }

            public sealed class PerRequest(AppDb db) : Microsoft.AspNetCore.Http.IMiddleware
            {
                public Task InvokeAsync(Microsoft.AspNetCore.Http.HttpContext context, Microsoft.AspNetCore.Http.RequestDelegate next) { _ = db; return next(context); }
            }

            public static class Setup
            {
                public static void Add(IServiceCollection services)
                {
                    services.AddScoped<Service>();
                    services.AddDbContext<AppDb>(options => { });
                    services.AddSingleton(_ => new Service(null!));
                    services.AddHostedService<BackgroundWork>();
                }
            }

            public sealed class BackgroundWork : BackgroundService { protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.CompletedTask; }
            """)
        .Silent("constructors that dependency injection does not use, or need not",
            """
            public class Cache
            {
                public Cache(IDbContextFactory<AppDb> factory) => _ = factory;
                internal Cache(AppDb db) => _ = db;
            }

            public class Choice : BackgroundService
            {
                public Choice(IDbContextFactory<AppDb> factory) => _ = factory;
                public Choice(AppDb db) => _ = db;
                protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.CompletedTask;
            }

            public static class Setup { public static void Add(IServiceCollection services) => services.AddSingleton<Cache>(); }
            """)
        .Silent("methods of that name on something else",
            """
            public class Registry
            {
                public void AddSingleton<T>() { }
                public void Use() => AddSingleton<AppDb>();
            }
            """)
        .Fires("all constructors that it may use",
            """
            public class Cache
            {
                public Cache(AppDb db) => _ = db;
                public Cache(AppDb db, TimeProvider time) => _ = (db, time);
                private Cache() { }
                public static Cache Empty => new();
            }

            public static class Setup { public static void Add(IServiceCollection services) => services.{|EFP0012:AddSingleton<Cache>|}(); }
            """)
        .Silent("instance fields, computed static properties, other types",
            """
            public sealed class Repository(AppDb db)
            {
                private readonly AppDb _db = db;
                public static AppDb Create => new(new DbContextOptionsBuilder<AppDb>().Options);
                public static readonly DbContextOptions<AppDb> Options = new DbContextOptionsBuilder<AppDb>().Options;
                public AppDb Db => _db;
            }
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
