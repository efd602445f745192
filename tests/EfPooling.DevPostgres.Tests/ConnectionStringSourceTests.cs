using EfPooling.Dev.Sources;
using Npgsql;

namespace EfPooling.Dev.Tests;

[Collection(SharedServer.Name)]
public sealed class ConnectionStringSourceTests(ServerFixture fixture)
{
    private readonly DevPostgresServer _running = fixture.Server;

    [Fact]
    public async Task WhenTheVariableIsSet_ThatServerIsUsed_AndKeptRunning()
    {
        string created;
        await using (var server = await StartAsync(new DevPostgresOptions()))
        {
            Assert.Equal(_running.Port, server.Port);
            Assert.Equal(_running.MajorVersion, server.MajorVersion);
            created = await server.CreateDatabaseAsync();
            Assert.Equal(1, await Sql.ScalarAsync(created, "SELECT 1"));
        }

        Assert.Equal(1, await Sql.ScalarAsync(_running.ConnectionString, "SELECT 1"));
        var exception = await Assert.ThrowsAsync<PostgresException>(() => Sql.OpenAsync(created));
        Assert.Equal(PostgresErrorCodes.InvalidCatalogName, exception.SqlState);
    }

    [Fact]
    public async Task AServerOfOthers_IsNeverStopped()
    {
        await using var server = await StartAsync(new DevPostgresOptions());

        Assert.False(server.CanControl);
        await Assert.ThrowsAsync<ServerNotControllableException>(() => server.StopAsync());
        await Assert.ThrowsAsync<ServerNotControllableException>(() => server.RestartAsync());
        await Assert.ThrowsAsync<ServerNotControllableException>(() => server.StartAgainAsync());
    }

    [Fact]
    public async Task AServerOfAnotherMajorVersion_IsPassedOver()
    {
        var options = new DevPostgresOptions { MajorVersion = _running.MajorVersion + 1 };

        var exception = await Assert.ThrowsAsync<NoServerFoundException>(() => StartAsync(options));

        Assert.Contains($"names a server of version {_running.MajorVersion}.", exception.Message, StringComparison.Ordinal);
    }

    private Task<DevPostgresServer> StartAsync(DevPostgresOptions options)
    {
        var source = new ConnectionStringSource(
            name => name == "EFPOOLING_POSTGRES" ? _running.ConnectionString : null);
        return DevPostgres.StartAsync(options, [source], CancellationToken.None);
    }
}
