using EfPooling.Benchmarks.Load.Bouncer;
using Npgsql;

namespace EfPooling.Benchmarks.Tests;

public sealed class BouncerConfigurationTests
{
    private static readonly NpgsqlConnectionStringBuilder Server = new("Host=10.0.0.5;Port=5433;Database=bench;Username=app;Password=se\"cret");

    [Fact]
    public void Settings_HaveADatabaseForEachNumberOfServerConnections()
    {
        var settings = Create("PgBouncer 1.18.0").Settings;

        Assert.Contains("bench_1 = host=10.0.0.5 port=5433 dbname=bench pool_size=1\n", settings, StringComparison.Ordinal);
        Assert.Contains("bench_10 = host=10.0.0.5 port=5433 dbname=bench pool_size=10\n", settings, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_AskForTransactionModeOnLoopback()
    {
        var lines = Create("PgBouncer 1.18.0").Settings.Split('\n');

        Assert.Contains("pool_mode = transaction", lines);
        Assert.Contains("listen_addr = 127.0.0.1", lines);
        Assert.Contains("listen_port = 6543", lines);
        Assert.Contains("auth_type = scram-sha-256", lines);
    }

    [Theory]
    [InlineData("PgBouncer 1.18.0", false)]
    [InlineData("PgBouncer 1.21.0\nlibevent 2.1.12-stable", true)]
    [InlineData("PgBouncer 2.0.1", true)]
    [InlineData("something else", false)]
    public void Settings_LetClientsPrepare_FromTheVersionThatCan(string version, bool canPrepare)
    {
        Assert.Equal(canPrepare, BouncerVersion.Parse(version).CanPrepare);
        Assert.Equal(canPrepare, Create(version).Settings.Contains("max_prepared_statements = 200\n", StringComparison.Ordinal));
    }

    [Fact]
    public void Users_HaveTheSecretOfTheServer()
        => Assert.Equal("\"app\" \"SCRAM-SHA-256$4096:salt$key:key\"\n", Create("PgBouncer 1.18.0", "SCRAM-SHA-256$4096:salt$key:key").Users);

    [Fact]
    public void Users_HaveThePassword_WhereTheSecretIsNotKnown()
        => Assert.Equal("\"app\" \"se\"\"cret\"\n", Create("PgBouncer 1.18.0").Users);

    private static BouncerConfiguration Create(string version, string? secret = null)
        => BouncerConfiguration.Create(Server, secret, 6543, [1, 10], BouncerVersion.Parse(version));
}
