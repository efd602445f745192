using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Passwords appear nowhere.</summary>
public sealed class SecretTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Password_IsInNothingThatCanBeSeen()
    {
        var password = new NpgsqlConnectionStringBuilder(ConnectionString).Password!;
        Assert.NotEmpty(password);
        var log = new CapturedLog();
        var pool = CreatePool(maxPoolSize: 1, build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT 1");
        await Record.ExceptionAsync(() => connection.RunAsync("SELECT 1/0"));
        await using var command = connection.CreateCommand();
        await using var session = await connection.LeaseSessionAsync("look");

        string[] seen =
        [
            pool.ConnectionString, connection.ConnectionString, connection.DataSource, session.Connection.ConnectionString,
            $"{pool} {connection} {command} {session} {pool.GetSnapshot()} {pool.Name} {pool.Options} {string.Join(' ', pool.GetOldestLeases())}",
            .. log.Texts,
        ];
        Assert.DoesNotContain(seen, text => text.Contains(password, StringComparison.Ordinal));
    }

    [Fact]
    public async Task WrongPassword_IsInNoErrorAndNoLog()
    {
        var log = new CapturedLog();
        var pool = CreatePool(keywords: "Password=tell-nobody;SSL Password=tell-nobody", build: builder => builder.UseLoggerFactory(log));
        await using var connection = pool.CreateConnection();

        var error = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync());

        Assert.DoesNotContain("tell-nobody", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(log.Texts, text => text.Contains("tell-nobody", StringComparison.Ordinal));
        Assert.DoesNotContain("tell-nobody", connection.ConnectionString, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Password=tell-nobody;Pooling=false")]
    [InlineData("Password=tell-nobody;Nonsense=1")]
    [InlineData("Password=tell-nobody;Port=many")]
    public void BadConnectionString_IsRefusedWithoutThePassword(string keywords)
    {
        var error = Assert.ThrowsAny<ArgumentException>(() => TransactionPoolingDataSource.Create($"Host=nowhere;{keywords}"));

        Assert.DoesNotContain("tell-nobody", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void PersistSecurityInfo_ShowsThePassword_BecauseItWasAskedTo()
    {
        var pool = TransactionPoolingDataSource.Create("Host=nowhere;Password=shown;Persist Security Info=true");

        Assert.Contains("shown", pool.ConnectionString, StringComparison.Ordinal);
    }
}
