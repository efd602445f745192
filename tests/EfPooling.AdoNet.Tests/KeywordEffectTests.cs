using System.ComponentModel;
using System.Data.Common;
using System.Globalization;
using System.Reflection;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Keywords of the connection string have the effect that they have on plain Npgsql: <c>docs/parity.md</c>.</summary>
public sealed class KeywordEffectTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly string[] Ours = ["Pooling", "Enlist", "Timeout", "Max Auto Prepare"];

    public static TheoryData<string> PassedOn
        => [.. typeof(NpgsqlConnectionStringBuilder).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Where(property => property.CanWrite && property.GetCustomAttribute<ObsoleteAttribute>() is null)
            .Select(property => property.GetCustomAttribute<DisplayNameAttribute>()?.DisplayName)
            .OfType<string>()
            .Except(Ours)];

    [Theory]
    [MemberData(nameof(PassedOn))]
    public void Keyword_ReachesTheServerConnections(string keyword)
    {
        var property = typeof(NpgsqlConnectionStringBuilder).GetProperties().Single(property => property.GetCustomAttribute<DisplayNameAttribute>()?.DisplayName == keyword);
        var given = new NpgsqlConnectionStringBuilder("Host=nowhere");
        property.SetValue(given, Other(property, given));

        var passed = new NpgsqlConnectionStringBuilder(ConnectionStringKeywords.ForServerConnections(given, new TransactionPoolingOptions()));

        Assert.Equal(property.GetValue(given), property.GetValue(passed));
        Assert.NotEqual(property.GetValue(new NpgsqlConnectionStringBuilder("Host=elsewhere")), property.GetValue(passed));
    }

    [Theory]
    [InlineData("Search Path=app,public", "SHOW search_path")]
    [InlineData("Timezone=Europe/Vienna", "SHOW timezone")]
    [InlineData("Client Encoding=LATIN1;Encoding=iso-8859-1", "SELECT current_setting('client_encoding') || ' ä' || length('ä')")]
    [InlineData("Options=-c geqo=off -c work_mem=9MB", "SELECT current_setting('geqo') || current_setting('work_mem')")]
    [InlineData("Keepalive=1", "SELECT 'alive'")]
    [InlineData("Read Buffer Size=4096;Write Buffer Size=4096", "SELECT repeat('x', 20000)")]
    [InlineData("Max Auto Prepare=0", "SELECT count(*)::text FROM pg_prepared_statements")]
    public async Task Session_IsTheSame_AlsoAfterAReset(string keywords, string question)
    {
        var expected = await AskPlainAsync(keywords, question);
        var pool = CreatePool(maxPoolSize: 1, keywords);
        await using var connection = await pool.OpenConnectionAsync();

        Assert.Equal(expected, await connection.AskAsync<string>(question));
        foreach (var change in new[] { "SET search_path = pg_catalog", "RESET ALL", "DO $$ BEGIN PERFORM set_config('work_mem', '8MB', false), set_config('timezone', 'UTC', false); END $$" })
        {
            await using (var other = await pool.OpenConnectionAsync())
            {
                await other.RunAsync(change);
            }

            Assert.Equal(expected, await connection.AskAsync<string>(question));
        }
    }

    [Theory]
    [InlineData("Command Timeout=7", "command time-out")]
    [InlineData("Include Error Detail=true", "error detail")]
    [InlineData("Include Error Detail=false", "error detail")]
    [InlineData("Include Failed Batched Command=true", "failed command")]
    [InlineData("Include Failed Batched Command=false", "failed command")]
    [InlineData("Array Nullability Mode=Always", "array")]
    [InlineData("Array Nullability Mode=Never", "array")]
    [InlineData("Persist Security Info=true", "password")]
    [InlineData("Persist Security Info=false", "password")]
    public async Task Behaviour_IsTheSame(string keywords, string what)
    {
        await using var plain = NpgsqlDataSource.Create($"{ConnectionString};{keywords};Pooling=false");
        var pool = CreatePool(keywords: keywords);

        Assert.Equal(await DescribeAsync(plain, what), await DescribeAsync(pool, what));
    }

    private static async Task<string?> DescribeAsync(DbDataSource source, string what)
    {
        await using var connection = await source.OpenConnectionAsync();
        switch (what)
        {
            case "command time-out":
                await using (var command = connection.CreateCommand())
                {
                    return command.CommandTimeout.ToString(CultureInfo.InvariantCulture);
                }

            case "error detail":
                return (await Assert.ThrowsAsync<PostgresException>(() => connection.RunAsync("DO $$ BEGIN RAISE EXCEPTION 'no' USING DETAIL = 'why'; END $$"))).Detail;

            case "failed command":
                await using (var batch = connection.CreateBatch())
                {
                    var command = batch.CreateBatchCommand();
                    command.CommandText = "SELECT 1 / 0";
                    batch.BatchCommands.Add(command);
                    return (await Assert.ThrowsAsync<PostgresException>(() => batch.ExecuteNonQueryAsync())).BatchCommand?.CommandText;
                }

            case "array":
                return (await connection.AskAsync<object>("SELECT ARRAY[1, 2]")).GetType().FullName;

            case "password":
                return source.ConnectionString.Contains("Password", StringComparison.OrdinalIgnoreCase).ToString();

            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
    }

    private static object? Other(PropertyInfo property, NpgsqlConnectionStringBuilder current) => property.GetValue(current) switch
    {
        _ when property.Name == nameof(NpgsqlConnectionStringBuilder.TargetSessionAttributes) => "primary",
        _ when property.Name == nameof(NpgsqlConnectionStringBuilder.RequireAuth) => "ScramSHA256",
        bool flag => !flag,
        int number => number + 1,
        Enum value => Enum.GetValues(value.GetType()).Cast<object>().First(other => !other.Equals(value)),
        _ => "other",
    };

    private async Task<string> AskPlainAsync(string keywords, string question)
    {
        await using var connection = new NpgsqlConnection($"{ConnectionString};{keywords};Pooling=false");
        await connection.OpenAsync();
        return await connection.AskAsync<string>(question);
    }
}
