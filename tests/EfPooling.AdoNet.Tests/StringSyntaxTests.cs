using EfPooling.AdoNet.Sql;
using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

/// <summary>Nobody changes how the server reads constants: the texts after it would not be those that were read here.</summary>
public sealed class StringSyntaxTests(ServerFixture fixture) : PoolTest(fixture)
{
    public static TheoryData<string> Changes =>
    [
        "SET standard_conforming_strings = off",
        "SET SESSION Standard_Conforming_Strings TO 'off'",
        "SET LOCAL \"standard_conforming_strings\" = false",
        "SET U&\"standard!005fconforming_strings\" UESCAPE $$!$$ = off",
        "SET standard_conforming_strings TO DEFAULT",
        "SELECT set_config('STANDARD_conforming_strings', 'off', false)",
        "SELECT set_config(E'standard\\x5fconforming_strings', 'off', true)",
        "SELECT set_config('standard_conforming_strings', @a, true)",
        "SELECT 1; DO $$ BEGIN EXECUTE 'SET standard_conforming_strings = off'; END $$",
        "EXPLAIN (\"analyze\") SELECT set_config('standard_conforming_strings', 'off', false)",
    ];

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task Change_IsRefused_OnSharedAndOwnSessions(string sql)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionState = SessionStatePolicy.Pin);
        await using var connection = await pool.OpenConnectionAsync();
        await AssertRefusedAsync();

        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await AssertRefusedAsync();
            await transaction.CommitAsync();
        }

        await connection.RunAsync("SELECT pg_advisory_lock(1)"); // From here on it has a session of its own.
        Assert.Single(pool.GetPins());
        await AssertRefusedAsync();
        Assert.Equal("on", await connection.AskAsync<string>("SHOW standard_conforming_strings"));

        async Task AssertRefusedAsync()
        {
            var refusal = await Assert.ThrowsAsync<SessionStateException>(() => connection.RunAsync(sql));
            Assert.Contains("standard_conforming_strings", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("E'...'", refusal.Message, StringComparison.Ordinal);
            Assert.Equal(PinReason.Setting, refusal.Reason);
        }
    }

    [Fact]
    public async Task SwitchingItOn_AndReadingIt_IsLetThrough()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();

        await connection.RunAsync("SET standard_conforming_strings = on; SET escape_string_warning = off; SET backslash_quote = on");

        Assert.Equal("on", await connection.AskAsync<string>("SELECT current_setting('standard_conforming_strings')"));
    }

    [Theory]
    [InlineData("ALTER ROLE somebody SET standard_conforming_strings = off")]
    [InlineData("ALTER DATABASE orders SET \"standard_conforming_strings\" TO off")]
    [InlineData("CREATE FUNCTION f() RETURNS int LANGUAGE sql SET standard_conforming_strings = off AS 'SELECT 1'")]
    public void Definition_WithIt_IsUnknown(string sql) => Assert.True(SqlVerdict.Read(sql).Effects.HasFlag(SessionEffects.Unknown));

    [Fact]
    public void ConnectionString_WithIt_IsRefused()
    {
        var refusal = Assert.Throws<InvalidPoolOptionsException>(() => TransactionPoolingDataSource.Create("Host=nowhere;Options=-c standard_conforming_strings=off"));

        Assert.Contains("standard_conforming_strings", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SET seed TO 0.42")]
    [InlineData("SET LOCAL seed = 0.42")]
    [InlineData("SELECT set_config('Seed', '0.42', true)")]
    public async Task SeedOfRandom_ReachesNobodyElse(string sql)
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.SessionState = SessionStatePolicy.Pin);
        await using var connection = await pool.OpenConnectionAsync();
        var process = await connection.AskAsync<int>("SELECT pg_backend_pid()");

        await connection.RunAsync(sql);
        await connection.CloseAsync();
        await connection.OpenAsync();

        Assert.NotEqual(process, await connection.AskAsync<int>("SELECT pg_backend_pid()")); // No reset undoes it.
    }

    [Theory]
    [InlineData("SET custom.É = 'set'")]
    [InlineData("SET \"custom.É\" = 'set'")]
    [InlineData("SELECT set_config('Custom.É', 'set', false)")]
    [InlineData("SELECT set_config(U&'custom.!00c9' UESCAPE '!', 'set', false)")]
    public async Task SettingBeyondAscii_FollowsItsConnection_AndNobodyElse(string sql)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var next = await pool.OpenConnectionAsync();
        const string Value = "SELECT coalesce(current_setting('custom.É', true), '') || coalesce(current_setting('custom.é', true), '')";

        await connection.RunAsync(sql);

        Assert.Equal("", await next.AskAsync<string>(Value));
        Assert.Equal("set", await connection.AskAsync<string>(Value));
        Assert.Equal("", await next.AskAsync<string>(Value));
    }

    [Fact]
    public async Task SettingUnderItsOldName_IsTheSameSetting()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var next = await pool.OpenConnectionAsync();

        await connection.RunAsync("SET sort_mem = '77MB'");
        await connection.RunAsync("SET work_mem = '78MB'");

        Assert.NotEqual("78MB", await next.AskAsync<string>("SHOW work_mem"));
        Assert.Equal("78MB", await connection.AskAsync<string>("SHOW sort_mem"));
    }
}
