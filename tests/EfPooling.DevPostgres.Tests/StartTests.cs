using Npgsql;

namespace EfPooling.Dev.Tests;

[Collection(SharedServer.Name)]
public sealed class StartTests(ServerFixture fixture)
{
    private readonly DevPostgresServer _server = fixture.Server;

    [Fact]
    public async Task Start_GivesAServerThatAnswers()
    {
        Assert.Equal("postgres", await Sql.ScalarAsync(_server.ConnectionString, "SELECT current_database()"));
        Assert.Equal("127.0.0.1", _server.Host);
        Assert.True(_server.CanControl);

        var version = (string)(await Sql.ScalarAsync(_server.ConnectionString, "SHOW server_version_num"))!;
        Assert.Equal(int.Parse(version, provider: null) / 10_000, _server.MajorVersion);
    }

    [Fact]
    public async Task Start_RequiresThePassword_WithScram()
    {
        var wrong = new NpgsqlConnectionStringBuilder(_server.ConnectionString) { Password = "wrong", Pooling = false };

        var exception = await Assert.ThrowsAsync<PostgresException>(() => Sql.OpenAsync(wrong.ConnectionString));

        Assert.Equal(PostgresErrorCodes.InvalidPassword, exception.SqlState);
        Assert.Equal(
            "scram-sha-256",
            await Sql.ScalarAsync(_server.ConnectionString, "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules"));
    }

    [Fact]
    public async Task Start_ListensOnTheLoopbackAddressOnly()
    {
        Assert.Equal("127.0.0.1", await Sql.ScalarAsync(_server.ConnectionString, "SHOW listen_addresses"));
        Assert.Equal("", await Sql.ScalarAsync(_server.ConnectionString, "SHOW unix_socket_directories"));
    }

    [Fact]
    public async Task Start_TurnsDurabilityOff_UnlessTold()
    {
        Assert.Equal("off", await Sql.ScalarAsync(_server.ConnectionString, "SHOW fsync"));
        Assert.Equal("off", await Sql.ScalarAsync(_server.ConnectionString, "SHOW synchronous_commit"));
        Assert.Equal("100", await Sql.ScalarAsync(_server.ConnectionString, "SHOW max_connections"));
    }

    [Fact]
    public async Task CreateDatabase_GivesAnEmptyDatabaseOfItsOwn()
    {
        var first = await _server.CreateDatabaseAsync();
        var second = await _server.CreateDatabaseAsync("with \"quotes\" and spaces");

        await Sql.ScalarAsync(first, "CREATE TABLE t (id int)");

        Assert.Equal(DBNull.Value, await Sql.ScalarAsync(second, "SELECT to_regclass('t')::text"));
        Assert.Equal("with \"quotes\" and spaces", await Sql.ScalarAsync(second, "SELECT current_database()"));
    }
}
