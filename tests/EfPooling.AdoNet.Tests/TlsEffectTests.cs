using System.Data.Common;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>What Npgsql offers for TLS has the effect that it has on plain Npgsql: <c>docs/parity.md</c>.</summary>
public sealed class TlsEffectTests : PoolTest
{
    private static readonly X509Certificate2 Authority = Create("CN=the server");
    private static readonly X509Certificate2 Stranger = Create("CN=a stranger");
    private static readonly X509Certificate2 Client = Create("CN=the client");
    private readonly string _directory = Directory.CreateTempSubdirectory("efpooling-tls").FullName;

    public TlsEffectTests(ServerFixture fixture)
        : base(fixture)
    {
        File.WriteAllText(PathOf("root.pem"), Authority.ExportCertificatePem());
        File.WriteAllText(PathOf("stranger.pem"), Stranger.ExportCertificatePem());
        File.WriteAllText(PathOf("client.pem"), Client.ExportCertificatePem());
        File.WriteAllText(PathOf("client.key"), Client.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(PathOf("secret.key"), Client.GetECDsaPrivateKey()!.ExportEncryptedPkcs8PrivateKeyPem("key", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1)));
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("SSL Mode=Disable")] // The relay speaks nothing else.
    [InlineData("SSL Mode=Require")]
    [InlineData("SSL Mode=VerifyCA")]
    [InlineData("SSL Mode=VerifyCA;Root Certificate={root.pem}")]
    [InlineData("SSL Mode=VerifyCA;Root Certificate={stranger.pem}")]
    [InlineData("SSL Mode=VerifyFull;Root Certificate={root.pem}")]
    [InlineData("SSL Mode=VerifyCA;Root Certificate={root.pem};Check Certificate Revocation=true")]
    [InlineData("SSL Mode=Require;SSL Negotiation=Direct")]
    [InlineData("SSL Mode=Require;SSL Certificate={client.pem};SSL Key={client.key}")]
    [InlineData("SSL Mode=Require;SSL Certificate={client.pem};SSL Key={secret.key};SSL Password=key")]
    [InlineData("SSL Mode=Require;SSL Certificate={client.pem};SSL Key={secret.key};SSL Password=wrong")]
    [InlineData("SSL Mode=Require;Channel Binding=Require")]
    [InlineData("SSL Mode=Require;Channel Binding=Disable")]
    [InlineData("SSL Mode=Require;Require Auth=ScramSHA256")]
    [InlineData("SSL Mode=Require;Require Auth=MD5")]
    public async Task Keywords_HaveTheSameEffect(string keywords) => await CompareAsync(keywords, static _ => { });

    public static TheoryData<string> Members =>
    [
        nameof(NpgsqlDataSourceBuilder.UseUserCertificateValidationCallback), "refusing " + nameof(NpgsqlDataSourceBuilder.UseUserCertificateValidationCallback),
        nameof(NpgsqlDataSourceBuilder.UseClientCertificate), nameof(NpgsqlDataSourceBuilder.UseClientCertificates), nameof(NpgsqlDataSourceBuilder.UseClientCertificatesCallback),
        nameof(NpgsqlDataSourceBuilder.UseSslClientAuthenticationOptionsCallback), nameof(NpgsqlDataSourceBuilder.UseRootCertificate), "strange " + nameof(NpgsqlDataSourceBuilder.UseRootCertificate),
        nameof(NpgsqlDataSourceBuilder.UseRootCertificates), nameof(NpgsqlDataSourceBuilder.UseRootCertificateCallback), nameof(NpgsqlDataSourceBuilder.UseRootCertificatesCallback),
    ];

#pragma warning disable CS0618 // Those that Npgsql calls obsolete have an effect still.
    [Theory]
    [MemberData(nameof(Members))]
    public async Task Members_HaveTheSameEffect(string member) => await CompareAsync(member.Contains("Root", StringComparison.Ordinal) ? "SSL Mode=VerifyCA" : "SSL Mode=Require", builder =>
    {
        _ = member switch
        {
            nameof(NpgsqlDataSourceBuilder.UseUserCertificateValidationCallback) => builder.UseUserCertificateValidationCallback((_, certificate, _, _) => certificate!.Subject == "CN=the server"),
            "refusing UseUserCertificateValidationCallback" => builder.UseUserCertificateValidationCallback((_, _, _, _) => false),
            nameof(NpgsqlDataSourceBuilder.UseClientCertificate) => builder.UseClientCertificate(Client),
            nameof(NpgsqlDataSourceBuilder.UseClientCertificates) => builder.UseClientCertificates([Client]),
            nameof(NpgsqlDataSourceBuilder.UseClientCertificatesCallback) => builder.UseClientCertificatesCallback(certificates => certificates.Add(Client)),
            nameof(NpgsqlDataSourceBuilder.UseSslClientAuthenticationOptionsCallback) => builder.UseSslClientAuthenticationOptionsCallback(options => options.ClientCertificates = [Client]),
            nameof(NpgsqlDataSourceBuilder.UseRootCertificate) => builder.UseRootCertificate(Authority),
            "strange UseRootCertificate" => builder.UseRootCertificate(Stranger),
            nameof(NpgsqlDataSourceBuilder.UseRootCertificates) => builder.UseRootCertificates([Authority]),
            nameof(NpgsqlDataSourceBuilder.UseRootCertificateCallback) => builder.UseRootCertificateCallback(() => Authority),
            nameof(NpgsqlDataSourceBuilder.UseRootCertificatesCallback) => builder.UseRootCertificatesCallback(() => [Authority]),
            _ => throw new ArgumentOutOfRangeException(nameof(member), member, null),
        };
    });
#pragma warning restore CS0618

    private async Task CompareAsync(string keywords, Action<NpgsqlDataSourceBuilder> configure)
    {
        var server = new NpgsqlConnectionStringBuilder(ConnectionString);
        await using var relay = new TlsRelay(server.Host!, server.Port, Authority);
        var all = $"Host=127.0.0.1;Port={relay.Port};{keywords.Replace("{", _directory + Path.DirectorySeparatorChar, StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal)}";
        var builder = new NpgsqlDataSourceBuilder($"{ConnectionString};{all};Pooling=false");
        configure(builder);
        await using var plain = builder.Build();
        var expected = await DescribeAsync(plain, relay);

        Assert.Equal(expected, await DescribeAsync(CreatePool(keywords: all, build: pool => pool.ConfigureNpgsql(configure)), relay));
    }

    private static async Task<string> DescribeAsync(DbDataSource source, TlsRelay relay)
    {
        try
        {
            await using var connection = await source.OpenConnectionAsync();
            return $"{await connection.AskAsync<int>("SELECT 1")} for '{relay.Client}'";
        }
        catch (Exception e)
        {
            return $"{e.GetType().Name}: {e.Message} < {e.InnerException?.GetType().Name}: {e.InnerException?.Message}";
        }
    }

    private string PathOf(string file) => Path.Combine(_directory, file);

    private static X509Certificate2 Create(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), password: null, X509KeyStorageFlags.Exportable);
    }
}
