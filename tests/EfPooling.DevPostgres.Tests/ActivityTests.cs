using System.Net;
using Npgsql;

namespace EfPooling.Dev.Tests;

[Collection(SharedServer.Name)]
public sealed class ActivityTests(ServerFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DevPostgresServer _server = fixture.Server;

    [Fact]
    public async Task Activity_ShowsAClient_ButNotTheOneThatLooks()
    {
        var database = await _server.CreateDatabaseAsync();
        await using var connection = await Sql.OpenAsync(database, "the client");
        await connection.ScalarAsync("BEGIN");

        var backends = await _server.QueryActivityAsync();

        var client = Assert.Single(backends, backend => backend.Database == connection.Database);
        Assert.Equal(connection.ProcessID, client.ProcessId);
        Assert.Equal("the client", client.ApplicationName);
        Assert.Equal(connection.Database, client.Database);
        Assert.Equal("postgres", client.User);
        Assert.Equal("idle in transaction", client.State);
        Assert.Equal("BEGIN", client.Query);
        Assert.Equal("client backend", client.BackendType);
        Assert.Equal(IPAddress.Loopback, client.ClientAddress);
        Assert.Equal(await connection.ScalarAsync("SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"),
            client.BackendStart.UtcDateTime);

        await connection.CloseAsync();
        Assert.Empty(await _server.WaitForActivityAsync(now => now.Count == 0, Patience));
    }

    [Fact]
    public async Task WaitForActivity_ThatNeverComes_ThrowsAndSaysWhatIsThere()
    {
        await using var connection = await Sql.OpenAsync(_server.ConnectionString, "somebody");

        var exception = await Assert.ThrowsAsync<TimeoutException>(
            () => _server.WaitForActivityAsync(now => now.Count == 1000, TimeSpan.Zero));

        Assert.Contains("somebody", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TerminateBackend_BreaksThatConnection()
    {
        await using var connection = await Sql.OpenAsync(_server.ConnectionString);
        var backend = connection.ProcessID;

        Assert.True(await _server.TerminateBackendAsync(backend));

        var exception = await Assert.ThrowsAsync<PostgresException>(() => connection.ScalarAsync("SELECT 1"));
        Assert.Equal(PostgresErrorCodes.AdminShutdown, exception.SqlState);
        Assert.False(await _server.TerminateBackendAsync(backend));
    }
}
