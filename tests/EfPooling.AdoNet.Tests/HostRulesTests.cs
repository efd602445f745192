using EfPooling.Dev;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Connection strings with several hosts: the rules hold when a connection is used, not only when its server connection was opened.</summary>
public sealed class HostRulesTests : IAsyncLifetime
{
    private const string Where = "SELECT inet_server_port()";
    private DevPostgresServer _a = null!;
    private DevPostgresServer _b = null!;

    public async ValueTask InitializeAsync()
    {
        var servers = await Task.WhenAll(DevPostgres.StartAsync(), DevPostgres.StartAsync());
        (_a, _b) = (servers[0], servers[1]);
        var password = new NpgsqlConnectionStringBuilder(_a.ConnectionString).Password;
        foreach (var server in servers)
        {
            await RunAsync(server, "CREATE TABLE t (x int)", $"CREATE ROLE caller SUPERUSER LOGIN PASSWORD '{password}'");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _a.DisposeAsync();
        await _b.DisposeAsync();
    }

    [Fact]
    public async Task WriteThatFailsAsReadOnly_SendsTheNextOneToTheNewPrimary()
    {
        await SetReadOnlyAsync(_b, true);
        var pool = CreatePool("Target Session Attributes=read-write;Host Recheck Seconds=3600");
        await OpenSeveralAsync(pool);
        Assert.Equal(_a.Port, await WriteAsync(pool));
        await SetReadOnlyAsync(_b, false);
        await SetReadOnlyAsync(_a, true);

        PostgresException? error = null;
        while (error is null) // The sessions hear of it a moment later.
        {
            error = await Record.ExceptionAsync(() => WriteAsync(pool)) as PostgresException;
        }

        Assert.Equal(PostgresErrorCodes.ReadOnlySqlTransaction, error.SqlState);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(_b.Port, await WriteAsync(pool));
        }

        Assert.True(pool.GetSnapshot().Retired[Core.RetireReason.HostRules] > 0);
        await PoolTest.VerifyWholeAsync(pool);
    }

    [Theory]
    [InlineData("read-write")]
    [InlineData("read-only")]
    public async Task SwitchOver_IsNoticedAtTheRecheck(string target)
    {
        var wantsReadOnly = target == "read-only";
        await SetReadOnlyAsync(_a, wantsReadOnly);
        await SetReadOnlyAsync(_b, !wantsReadOnly);
        var pool = CreatePool($"Target Session Attributes={target};Host Recheck Seconds=0");
        await OpenSeveralAsync(pool);
        await SetReadOnlyAsync(_b, wantsReadOnly);
        await SetReadOnlyAsync(_a, !wantsReadOnly);

        const string whereAndHow = "SELECT inet_server_port() || ' ' || current_setting('default_transaction_read_only')";
        while (await AskAsync<string>(pool, whereAndHow) == $"{_a.Port} {(wantsReadOnly ? "on" : "off")}")
        {
        }

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(_b.Port, await AskAsync<int>(pool, Where));
            Assert.Equal(_b.Port, Ask(pool));
        }

        await PoolTest.VerifyWholeAsync(pool);
    }

    [Fact]
    public async Task Promotion_MovesWritersToTheNewPrimary_AndReadersToTheStandby()
    {
        await BecomeStandbyAsync(_b);
        var (writers, readers) = (CreatePool("Target Session Attributes=primary;Host Recheck Seconds=0"), CreatePool("Target Session Attributes=standby;Host Recheck Seconds=0"));
        await Task.WhenAll(OpenSeveralAsync(writers), OpenSeveralAsync(readers));
        Assert.Equal(_a.Port, await WriteAsync(writers));
        Assert.Equal(_b.Port, await AskAsync<int>(readers, Where));

        await BecomeStandbyAsync(_a);
        Assert.IsType<NpgsqlException>(await Record.ExceptionAsync(() => WriteAsync(writers)), exactMatch: false); // Two standbys: as with Npgsql, no host fits.
        await RunAsync(_b, "SELECT pg_promote()");
        await AskUntilItWorksAsync(writers);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(_b.Port, await WriteAsync(writers));
            Assert.Equal(_a.Port, await AskAsync<int>(readers, Where));
            Assert.Equal(_a.Port, Ask(readers));
        }

        await PoolTest.VerifyWholeAsync(writers);
        await PoolTest.VerifyWholeAsync(readers);
    }

    [Fact]
    public async Task HostThatIsNamedFirst_IsUsedAgainWhenItIsBack()
    {
        var time = new SteppedTime();
        var pool = CreatePool("Host Recheck Seconds=0", time);
        Assert.Equal(_a.Port, await AskAsync<int>(pool, Where));
        await _a.StopAsync();
        await AskUntilItWorksAsync(pool);
        Assert.Equal(_b.Port, await AskAsync<int>(pool, Where));
        await _a.StartAgainAsync();

        time.Step(TimeSpan.FromSeconds(2));
        Assert.Equal(_a.Port, await AskAsync<int>(pool, Where));
        Assert.Equal(_a.Port, Ask(pool));
        await PoolTest.VerifyWholeAsync(pool);
    }

    [Fact]
    public async Task LoadBalancing_SpreadsCallersOneAfterTheOther_AndAgainWhenAHostIsBack()
    {
        var time = new SteppedTime();
        var pool = CreatePool("Load Balance Hosts=true;Host Recheck Seconds=0", time);
        await UntilBothAreUsedAsync(pool, () => { });
        await _b.StopAsync();
        await AskUntilItWorksAsync(pool);
        await OpenSeveralAsync(pool);
        await _b.StartAgainAsync();

        await UntilBothAreUsedAsync(pool, () => time.Step(TimeSpan.FromSeconds(2)));
        await PoolTest.VerifyWholeAsync(pool);
    }

    [Fact]
    public async Task DataSourceOfTheUser_ThatWasMadeForATarget_IsUnderstood()
    {
        await SetReadOnlyAsync(_b, true);
        await using var source = new NpgsqlDataSourceBuilder(TwoHosts("Host Recheck Seconds=3600;Pooling=false")).BuildMultiHost();
        var pool = new TransactionPoolingDataSourceBuilder(source.WithTargetSession(TargetSessionAttributes.ReadWrite)).Build();
        Assert.Equal(_a.Port, await WriteAsync(pool));
        await SetReadOnlyAsync(_b, false);
        await SetReadOnlyAsync(_a, true);

        Exception? error = null;
        while (error is null)
        {
            error = await Record.ExceptionAsync(() => WriteAsync(pool));
        }

        Assert.Equal(_b.Port, await WriteAsync(pool));
        await PoolTest.VerifyWholeAsync(pool);
    }

    private static async Task UntilBothAreUsedAsync(TransactionPoolingDataSource pool, Action between)
    {
        var ports = new HashSet<int>();
        while (ports.Count < 2) // Connections are opened in the background.
        {
            ports.Add(await AskAsync<int>(pool, Where));
            between();
        }
    }

    private static async Task AskUntilItWorksAsync(TransactionPoolingDataSource pool)
    {
        while (await Record.ExceptionAsync(() => AskAsync<int>(pool, Where)) is not null)
        {
            pool.Clear(); // Ends a pause after a failed open.
        }
    }

    private static async Task OpenSeveralAsync(TransactionPoolingDataSource pool)
        => await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => AskAsync<int>(pool, "SELECT 1 FROM pg_sleep(0.2)")));

    private static async Task<T> AskAsync<T>(TransactionPoolingDataSource pool, string sql)
    {
        await using var connection = await pool.OpenConnectionAsync();
        return await connection.AskAsync<T>(sql);
    }

    private static int Ask(TransactionPoolingDataSource pool)
    {
        using var connection = pool.OpenConnection();
        return connection.Ask<int>(Where);
    }

    private static Task<int> WriteAsync(TransactionPoolingDataSource pool) => AskAsync<int>(pool, "INSERT INTO t VALUES (1) RETURNING inet_server_port()");

    private static async Task RunAsync(DevPostgresServer server, params string[] texts)
    {
        await using var connection = new NpgsqlConnection($"{server.ConnectionString};Pooling=false");
        await connection.OpenAsync();
        foreach (var text in texts)
        {
            await connection.RunAsync(text);
        }
    }

    private static async Task BecomeStandbyAsync(DevPostgresServer server)
    {
        string directory;
        await using (var connection = new NpgsqlConnection($"{server.ConnectionString};Pooling=false"))
        {
            await connection.OpenAsync();
            directory = await connection.AskAsync<string>("SHOW data_directory");
        }

        await server.StopAsync();
        await File.WriteAllTextAsync(Path.Combine(directory, "standby.signal"), "");
        await server.StartAgainAsync();
    }

    // New sessions have it when this returns; others hear of it a moment later.
    private static async Task SetReadOnlyAsync(DevPostgresServer server, bool on)
    {
        var word = on ? "on" : "off";
        await RunAsync(server, "SET default_transaction_read_only = off", $"ALTER SYSTEM SET default_transaction_read_only = {word}", "SELECT pg_reload_conf()");
        string is_;
        do
        {
            await using var connection = new NpgsqlConnection($"{server.ConnectionString};Pooling=false");
            await connection.OpenAsync();
            is_ = await connection.AskAsync<string>("SHOW default_transaction_read_only");
        }
        while (is_ != word);
    }

    private string TwoHosts(string keywords)
    {
        var first = new NpgsqlConnectionStringBuilder(_a.ConnectionString) { Host = $"{_a.Host}:{_a.Port},{_b.Host}:{_b.Port}", Username = "caller" };
        first.Remove("Port");
        return $"{first.ConnectionString};{keywords}";
    }

    private TransactionPoolingDataSource CreatePool(string keywords, TimeProvider? time = null)
    {
        var builder = new TransactionPoolingDataSourceBuilder(TwoHosts(keywords)).ConfigureOptions(options => (options.MaxPoolSize, options.Shuffle) = (6, false));
        return (time is null ? builder : builder.UseTimeProvider(time)).Build();
    }
}
