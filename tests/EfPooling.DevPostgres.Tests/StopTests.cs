using Npgsql;

namespace EfPooling.Dev.Tests;

public sealed class StopTests
{
    [Fact]
    public async Task Restart_KeepsPortAndData()
    {
        await using var server = await LocalStart.AnyAsync();
        var (port, firstPostmaster) = (server.Port, LocalStart.HostOf(server).PostmasterId);
        await Sql.ScalarAsync(server.ConnectionString, "CREATE TABLE kept AS SELECT 42 AS answer");

        await server.RestartAsync();

        Assert.Equal(port, server.Port);
        Assert.NotEqual(firstPostmaster, LocalStart.HostOf(server).PostmasterId);
        Assert.Equal(42, await Sql.ScalarAsync(server.ConnectionString, "SELECT answer FROM kept"));
        Assert.Contains("database system was shut down at", LocalStart.LogOf(server), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HardStop_BreaksConnections_AndTheNextStartRecovers()
    {
        await using var server = await LocalStart.AnyAsync();
        await using var connection = await Sql.OpenAsync(server.ConnectionString);

        await server.StopAsync(StopMode.Immediate);

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => connection.ScalarAsync("SELECT 1"));
        await Assert.ThrowsAsync<NpgsqlException>(() => Sql.OpenAsync(server.ConnectionString));

        await server.StartAgainAsync();

        Assert.Equal(1, await Sql.ScalarAsync(server.ConnectionString, "SELECT 1"));
        Assert.Contains("was not properly shut down", LocalStart.LogOf(server), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stop_WhenStopped_DoesNothing_AndStart_WhenRunning_Throws()
    {
        await using var server = await LocalStart.AnyAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => server.StartAgainAsync());

        await server.StopAsync();
        await server.StopAsync(StopMode.Immediate);
        await server.StartAgainAsync();

        Assert.Equal(1, await Sql.ScalarAsync(server.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task Dispose_DeletesTheDirectory_AndLeavesNoProcess()
    {
        var server = await LocalStart.AnyAsync();
        var host = LocalStart.HostOf(server);
        Assert.True(Directory.Exists(host.DirectoryPath));
        Assert.True(Processes.IsAlive(host.PostmasterId));

        await server.DisposeAsync();
        await server.DisposeAsync();

        Assert.False(Directory.Exists(host.DirectoryPath));
        Assert.False(Processes.IsAlive(host.PostmasterId));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => server.StartAgainAsync());
    }

    [Fact]
    public async Task Dispose_OfAStoppedServer_DeletesTheDirectory()
    {
        var server = await LocalStart.AnyAsync();
        var directory = LocalStart.HostOf(server).DirectoryPath;
        await server.StopAsync();

        await server.DisposeAsync();

        Assert.False(Directory.Exists(directory));
    }

    [Fact]
    public async Task Dispose_OfTheHost_EndsARunningServerHard()
    {
        var server = await LocalStart.AnyAsync();
        var host = LocalStart.HostOf(server);
        await using var connection = await Sql.OpenAsync(server.ConnectionString);

        await host.DisposeAsync();

        Assert.False(Processes.IsAlive(host.PostmasterId));
        Assert.False(Directory.Exists(host.DirectoryPath));
    }
}
