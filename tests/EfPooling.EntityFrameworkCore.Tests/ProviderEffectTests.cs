using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EfPooling.AdoNet.Tests;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using NpgsqlTypes;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>Options of <c>UseNpgsql</c> have the effect that they have without pooling: <c>docs/parity.md</c>.</summary>
public sealed class ProviderEffectTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const string Tables =
        """
        DROP TABLE IF EXISTS measured; DROP TYPE IF EXISTS effect_range, effect_level;
        CREATE TYPE effect_range AS RANGE (SUBTYPE = float8);
        CREATE TYPE effect_level AS ENUM ('low', 'high');
        CREATE TABLE measured (id int PRIMARY KEY, name text, span effect_range NOT NULL, level effect_level NOT NULL, day date NOT NULL);
        INSERT INTO measured VALUES (1, 'a', '[1,2)', 'low', '2026-11-30'), (2, NULL, '[3,4)', 'high', '2026-12-01');
        """;

    private static readonly Dictionary<string, (Action<NpgsqlDbContextOptionsBuilder> Configure, Func<Measurements, Task<object?>> Ask)> Effects = new()
    {
        ["nothing, and a script"] = (_ => { }, context => Task.FromResult<object?>(context.Database.GenerateCreateScript())),
        ["SetPostgresVersion"] = (npgsql => npgsql.SetPostgresVersion(9, 6), context => Task.FromResult<object?>(context.Database.GenerateCreateScript())),
        ["UseRedshift"] = (npgsql => npgsql.UseRedshift(), context => Task.FromResult<object?>(context.Database.GenerateCreateScript())),
        ["nothing, and a range"] = (_ => { }, SpanAsync),
        ["MapRange"] = (npgsql => npgsql.MapRange<double>("effect_range").ConfigureDataSource(source => source.EnableUnmappedTypes()), SpanAsync),
        ["nothing, and an enum"] = (_ => { }, LevelAsync),
        ["MapEnum"] = (npgsql => npgsql.MapEnum<Level>("effect_level"), LevelAsync),
        ["ConfigureDataSource"] = (npgsql => npgsql.ConfigureDataSource(source => source.ConnectionStringBuilder.Timezone = "Asia/Tokyo"), context => TellAsync(context.Database.SqlQueryRaw<string>("SELECT current_setting('timezone') AS \"Value\""))),
        ["nothing, and a day"] = (_ => { }, context => TellAsync(context.Database.SqlQueryRaw<NodaTime.LocalDate>("SELECT DATE '2026-11-30' AS \"Value\""))),
        ["UseNodaTime"] = (npgsql => npgsql.UseNodaTime(), context => TellAsync(context.Database.SqlQueryRaw<NodaTime.LocalDate>("SELECT DATE '2026-11-30' AS \"Value\""))),
        ["UseNetTopologySuite"] = (npgsql => npgsql.UseNetTopologySuite(), context => TellAsync(context.Measured.Select(each => new NetTopologySuite.Geometries.Point(each.Id, 2).X))),
        ["EnableRetryOnFailure"] = (npgsql => npgsql.EnableRetryOnFailure(3), context => Task.FromResult<object?>(context.Database.CreateExecutionStrategy().RetriesOnFailure)),
    };

    public static TheoryData<string> Names => [.. Effects.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Option_HasTheSameEffect(string name)
    {
        await database.ScalarAsync(Tables);
        var (configure, ask) = Effects[name];
        await using var plain = new Measurements(Builder().UseNpgsql(database.For($"plain {name}"), configure).Options);
        await using var pooled = new Measurements(Builder().UseNpgsql(database.For($"pooled {name}"), configure).UseTransactionPooling().Options);

        Assert.Equal(await DescribeAsync(plain, ask), await DescribeAsync(pooled, ask));
    }

    [Theory]
    [InlineData("template1")]
    [InlineData("no such database")]
    public async Task UseAdminDatabase_SaysWhereADatabaseIsCreatedFrom(string admin)
    {
        var told = new List<string>();
        foreach (var isPooled in new[] { false, true })
        {
            var builder = Builder().UseNpgsql($"{database.For("admin")};Database=made_{Guid.NewGuid():N}", npgsql => npgsql.UseAdminDatabase(admin));
            await using var context = new Measurements(isPooled ? builder.UseTransactionPooling().Options : builder.Options);
            told.Add(await DescribeAsync(context, async each => await each.Database.EnsureCreatedAsync()));
            if (told[^1] == "True")
            {
                Assert.True(await context.Database.EnsureDeletedAsync());
            }
        }

        Assert.Equal(told[0], told[1]);
        Assert.Equal(admin == "template1", told[0] == "True");
    }

#pragma warning disable CS0618 // Obsolete, but they work with the provider.
    [Theory]
    [InlineData("ProvideClientCertificatesCallback")]
    [InlineData("RemoteCertificateValidationCallback")]
    [InlineData("refusing RemoteCertificateValidationCallback")]
    public async Task CallbacksForTls_HaveTheSameEffect(string name)
    {
        using var certificate = CreateCertificate();
        var server = new NpgsqlConnectionStringBuilder(database.For("tls"));
        await using var relay = new TlsRelay(server.Host!, server.Port, certificate);
        var told = new List<string>();
        foreach (var isPooled in new[] { false, true })
        {
            var builder = Builder().UseNpgsql($"{database.For($"tls {name} {isPooled}")};Host=127.0.0.1;Port={relay.Port};SSL Mode=Require", npgsql => _ = name switch
            {
                "ProvideClientCertificatesCallback" => npgsql.ProvideClientCertificatesCallback(certificates => certificates.Add(certificate)).RemoteCertificateValidationCallback((_, shown, _, _) => shown!.Subject == "CN=both"),
                "RemoteCertificateValidationCallback" => npgsql.RemoteCertificateValidationCallback((_, shown, _, errors) => errors != SslPolicyErrors.None && shown!.Subject == "CN=both"),
                _ => npgsql.RemoteCertificateValidationCallback((_, _, _, _) => false),
            });
            await using var context = new Measurements(isPooled ? builder.UseTransactionPooling().Options : builder.Options);
            told.Add(await DescribeAsync(context, async each => $"{await TellAsync(each.Database.SqlQueryRaw<int>("SELECT 1 AS \"Value\""))} for '{relay.Client}'"));
        }

        Assert.Equal(told[0], told[1]);
        Assert.Equal(name.StartsWith("refusing", StringComparison.Ordinal), told[0].Contains("Exception", StringComparison.Ordinal));
    }
#pragma warning restore CS0618

    // EF Core warns of a process that has many sets of services, as this one would.
    private static DbContextOptionsBuilder Builder() => new DbContextOptionsBuilder().EnableServiceProviderCaching(false);

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=both", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), password: null);
    }

    private static async Task<string> DescribeAsync(Measurements context, Func<Measurements, Task<object?>> ask)
    {
        try
        {
            return $"{await ask(context)}";
        }
        catch (Exception e)
        {
            return $"{e.GetType().Name}: {e.GetBaseException().GetType().Name}: {e.GetBaseException().Message}";
        }
    }

    private static async Task<object?> TellAsync<T>(IQueryable<T> query) => string.Join(", ", await query.ToListAsync());

    private static Task<object?> SpanAsync(Measurements context) => TellAsync(context.Database.SqlQueryRaw<NpgsqlRange<double>>("SELECT span AS \"Value\" FROM measured ORDER BY id"));

    private static Task<object?> LevelAsync(Measurements context) => TellAsync(context.Database.SqlQueryRaw<Level>("SELECT level AS \"Value\" FROM measured ORDER BY id"));

    public enum Level
    {
        Low,
        High,
    }

    private sealed class Measured
    {
        public int Id { get; init; }

        public string? Name { get; init; }
    }

    private sealed class Measurements(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Measured> Measured => Set<Measured>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Measured>(measured =>
            {
                measured.ToTable("measured");
                measured.Property(each => each.Id).HasColumnName("id");
                measured.Property(each => each.Name).HasColumnName("name");
            });
    }
}
