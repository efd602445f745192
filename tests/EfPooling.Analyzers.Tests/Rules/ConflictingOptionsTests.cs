using EfPooling.Analyzers.Rules;

namespace EfPooling.Analyzers.Tests;

public sealed class ConflictingOptionsTests
{
    internal static readonly RuleCases Cases = new RuleCases(DiagnosticIds.ConflictingOptions, () => new ConflictingOptionsAnalyzer())
        .Fires("keywords that contradict a pool",
            """
            public static class Setup
            {
                private const string Local = "Host=a;Multiplexing=True";

                public static void Add(IServiceCollection services, DbContextOptionsBuilder options)
                {
                    options.UseNpgsql({|EFP0017:"Host=a;Pooling=false"|}).UseTransactionPooling();
                    services.AddDbContext<AppDb>(builder => builder.UseNpgsql({|EFP0017:Local|}, npgsql => npgsql.CommandTimeout(3)).UseTransactionPooling());
                    services.AddTransactionPooling({|EFP0017:"Host=a; pooling = FALSE"|});
                    _ = TransactionPoolingDataSource.Create({|EFP0017:"Host=a;Pooling=false"|});
                }
            }
            """)
        .Fires("a string in a local or a static field",
            """
            public static class Setup
            {
                private static readonly string Field = "Host=a;Pooling=false";

                public static void Add(IServiceCollection services, string host)
                {
                    var local = "Host=a;" + "Pooling=false";
                    services.AddTransactionPooling({|EFP0017:local|});
                    services.AddTransactionPooling({|EFP0017:Field|});
                    services.AddTransactionPooling($"Host={host};Pooling=false");
                }
            }
            """)
        .Silent("a branch without the pool",
            """
            public static void Configure(DbContextOptionsBuilder options, bool isPooled)
            {
                if (isPooled)
                    options.UseNpgsql("Host=a").UseTransactionPooling();
                else
                    options.UseNpgsql("Host=a;Pooling=false");

                Action<DbContextOptionsBuilder> pooled = other => other.UseNpgsql("Host=a").UseTransactionPooling();
                var admin = isPooled ? options.UseNpgsql("Host=a").UseTransactionPooling() : options.UseNpgsql("Host=a;Pooling=false");
            }
            """)
        .Silent("a provider without a pool",
            """
            public static class Setup
            {
                public static void Add(IServiceCollection services)
                {
                    services.AddDbContext<AppDb>(builder => builder.UseNpgsql("Host=a;Pooling=false"));
                    services.AddDbContext<AppDb>(builder => builder.UseNpgsql("Host=a").UseTransactionPooling());
                }
            }
            """)
        .Silent("strings that are not known",
            """
            _ = TransactionPoolingDataSource.Create(text);
            _ = TransactionPoolingDataSource.Create(text + ";Pooling=false");
            """)
        .Silent("other keywords, and no connection string at all",
            """
            _ = TransactionPoolingDataSource.Create("Host=a;Pooling=true;Multiplexing=false;Maximum Pool Size=3;No Reset On Close=true");
            _ = TransactionPoolingDataSource.Create("Pooling==;;=");
            """);

    public static TheoryData<string> Names => Cases.Names;

    [Theory]
    [MemberData(nameof(Names))]
    public Task Rule_Behaves(string name) => Cases.VerifyAsync(name);
}
