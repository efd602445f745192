namespace EfPooling.Dev.Tests;

public sealed class OptionsTests
{
    [Fact]
    public async Task Options_ReachTheServer()
    {
        var options = new DevPostgresOptions
        {
            DatabaseName = "shop",
            MaxConnections = 17,
            Settings = { ["work_mem"] = "5MB", ["FSync"] = "on", ["search_path"] = "a, \"b c\"", ["listen_addresses"] = "*" },
        };
        await using var server = await LocalStart.AnyAsync(options);

        Assert.Equal("shop", await Sql.ScalarAsync(server.ConnectionString, "SELECT current_database()"));
        Assert.Equal("17", await Sql.ScalarAsync(server.ConnectionString, "SHOW max_connections"));
        Assert.Equal("5MB", await Sql.ScalarAsync(server.ConnectionString, "SHOW work_mem"));
        Assert.Equal("on", await Sql.ScalarAsync(server.ConnectionString, "SHOW fsync"));
        Assert.Equal("a, \"b c\"", await Sql.ScalarAsync(server.ConnectionString, "SHOW search_path"));
        Assert.Equal("127.0.0.1", await Sql.ScalarAsync(server.ConnectionString, "SHOW listen_addresses"));
    }

    [Fact]
    public async Task Start_WithASettingThatDoesNotExist_ThrowsWithTheLog()
    {
        var options = new DevPostgresOptions { Settings = { ["no_such_setting"] = "1" } };

        var exception = await Assert.ThrowsAsync<ServerStartException>(() => LocalStart.AnyAsync(options));

        Assert.Contains("no_such_setting", exception.LogTail, StringComparison.Ordinal);
        Assert.Contains(exception.LogTail, exception.Message, StringComparison.Ordinal);
    }
}
