using System.Data.Common;
using System.Diagnostics;
using System.Text.Json;
using Npgsql;
using Npgsql.NameTranslation;

namespace EfPooling.AdoNet.Tests;

/// <summary>Members of <see cref="NpgsqlDataSourceBuilder"/> have the effect that they have on plain Npgsql: <c>docs/parity.md</c>. Those for TLS are in <see cref="TlsEffectTests"/>.</summary>
public sealed class BuilderEffectTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Composite = "SELECT ROW(7, 'seven')::effect_pair";
    private const string Enumeration = "SELECT 'second_one'::effect_kind";

    // A name, what it does, and a question. Each pair differs in the answer, so that the test would notice what is ignored.
    private static readonly Dictionary<string, (Action<NpgsqlDataSourceBuilder> Configure, Func<DbConnection, Task<object?>> Ask)> Effects = new()
    {
        ["nothing, and an enum"] = (_ => { }, connection => ReadAsync<EffectKind>(connection, Enumeration)),
        ["MapEnum"] = (builder => builder.MapEnum<EffectKind>("effect_kind"), connection => ReadAsync<EffectKind>(connection, Enumeration)),
        ["DefaultNameTranslator"] = (builder => { builder.DefaultNameTranslator = new NpgsqlNullNameTranslator(); builder.MapEnum<EffectKind>("effect_kind"); }, connection => ReadAsync<EffectKind>(connection, Enumeration)),
        ["UnmapEnum"] = (builder => { builder.MapEnum<EffectKind>("effect_kind"); builder.UnmapEnum<EffectKind>("effect_kind"); }, connection => ReadAsync<EffectKind>(connection, Enumeration)),
        ["nothing, and a composite"] = (_ => { }, connection => ReadAsync<EffectPair>(connection, Composite)),
        ["MapComposite"] = (builder => builder.MapComposite<EffectPair>("effect_pair"), connection => ReadAsync<EffectPair>(connection, Composite)),
        ["UnmapComposite"] = (builder => { builder.MapComposite<EffectPair>("effect_pair"); builder.UnmapComposite<EffectPair>("effect_pair"); }, connection => ReadAsync<EffectPair>(connection, Composite)),
        ["nothing, and JSON"] = (_ => { }, connection => ReadAsync<Dictionary<string, int>>(connection, """SELECT '{"a":1}'::jsonb""")),
        ["EnableDynamicJson"] = (builder => builder.EnableDynamicJson(), connection => ReadAsync<Dictionary<string, int>>(connection, """SELECT '{"a":1}'::jsonb""")),
        ["ConfigureJsonOptions"] = (
            builder => builder.EnableDynamicJson().ConfigureJsonOptions(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower }),
            connection => ReadAsync<EffectDocument>(connection, """SELECT '{"first_name":"Ada"}'::jsonb""")),
        ["nothing, and a record"] = (_ => { }, connection => ReadAsync<(int, string)>(connection, "SELECT ROW(1, 'one')")),
        ["EnableRecordsAsTuples"] = (builder => builder.EnableRecordsAsTuples(), connection => ReadAsync<(int, string)>(connection, "SELECT ROW(1, 'one')")),
        ["nothing, and an unmapped type"] = (_ => { }, connection => ReadAsync<EffectKind>(connection, "SELECT 'second_one'::effect_kind")),
        ["EnableUnmappedTypes"] = (builder => builder.EnableUnmappedTypes(), connection => ReadAsync<EffectKind>(connection, "SELECT 'second_one'::effect_kind")),
        ["AddTypeInfoResolverFactory"] = (builder => builder.UseNodaTime(), connection => ReadAsync<NodaTime.LocalDate>(connection, "SELECT DATE '2026-11-30'")),
        ["ConfigureTypeLoading"] = (builder => builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false)), connection => ReadAsync<string>(connection, Enumeration)),
        ["Name"] = (builder => builder.Name = "the source", connection => SpanAsync(connection, span => span.GetTagItem("db.npgsql.data_source"))),
        ["ConfigureTracing"] = (builder => builder.ConfigureTracing(tracing => tracing.ConfigureCommandSpanNameProvider(command => $"ran {command.CommandText.Length}")), connection => SpanAsync(connection, span => span.DisplayName)),
        ["ConnectionStringBuilder"] = (builder => builder.ConnectionStringBuilder.Timezone = "Asia/Tokyo", connection => ReadAsync<string>(connection, "SHOW timezone")),
    };

    public static TheoryData<string> Names => [.. Effects.Keys];

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TYPE IF EXISTS effect_kind, effect_pair; CREATE TYPE effect_kind AS ENUM ('first_one', 'second_one'); CREATE TYPE effect_pair AS (number int, name text)");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Member_HasTheSameEffect(string name)
    {
        var (configure, ask) = Effects[name];
        var builder = new NpgsqlDataSourceBuilder($"{ConnectionString};Pooling=false");
        configure(builder);
        await using var plain = builder.Build();
        var expected = await DescribeAsync(plain, ask);

        Assert.Equal(expected, await DescribeAsync(CreateUnshuffledPool(maxPoolSize: 1, build: pool => pool.ConfigureNpgsql(configure)), ask));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LoggerAndParameterLogging_AreTheUsers(bool parameters)
    {
        var (plainLog, log) = (new CapturedLog(), new CapturedLog());
        var builder = new NpgsqlDataSourceBuilder($"{ConnectionString};Pooling=false");
        builder.UseLoggerFactory(plainLog).EnableParameterLogging(parameters);
        await using var plain = builder.Build();
        var pool = CreateUnshuffledPool(maxPoolSize: 1, build: own => own.ConfigureNpgsql(npgsql => npgsql.UseLoggerFactory(log).EnableParameterLogging(parameters)));
        foreach (var source in new DbDataSource[] { plain, pool })
        {
            await using var command = source.CreateCommand("SELECT $1");
            command.Parameters.Add(new NpgsqlParameter { Value = "the value" });
            await command.ExecuteNonQueryAsync();
        }

        foreach (var texts in new[] { plainLog.Texts, log.Texts })
        {
            var line = Assert.Single(texts, text => text.StartsWith("Command execution completed", StringComparison.Ordinal) && text.Contains("SELECT $1", StringComparison.Ordinal));
            Assert.Equal(parameters, line.Contains("the value", StringComparison.Ordinal));
        }
    }

    private static async Task<string> DescribeAsync(DbDataSource source, Func<DbConnection, Task<object?>> ask)
    {
        await using var connection = await source.OpenConnectionAsync();
        try
        {
            return $"{await ask(connection)}";
        }
        catch (Exception e)
        {
            return $"{e.GetType().Name}: {e.Message}";
        }
    }

    private static async Task<object?> ReadAsync<T>(DbConnection connection, string sql)
    {
        await using var reader = await connection.ReadAsync(sql);
        Assert.True(await reader.ReadAsync());
        var value = await reader.GetFieldValueAsync<T>(0);
        return value is Dictionary<string, int> pairs ? string.Join(",", pairs) : value;
    }

    private static async Task<object?> SpanAsync(DbConnection connection, Func<Activity, object?> tell)
    {
        object? told = null;
        using (var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span => told = span.GetTagItem("db.query.text") is "SELECT 'a span'" ? tell(span) : told,
        })
        {
            ActivitySource.AddActivityListener(listener);
            await connection.RunAsync("SELECT 'a span'");
        }

        Assert.NotNull(told);
        return told;
    }

    private enum EffectKind
    {
        FirstOne,
        SecondOne,
    }

    private sealed record EffectPair
    {
        public int Number { get; init; }

        public string? Name { get; init; }
    }

    private sealed record EffectDocument
    {
        public string? FirstName { get; init; }
    }
}
