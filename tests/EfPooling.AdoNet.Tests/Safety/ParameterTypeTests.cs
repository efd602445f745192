using Npgsql;
using NpgsqlTypes;

namespace EfPooling.AdoNet.Tests.Safety;

/// <summary>A parameter of a type of the database's may run what the text does not name: the check of a domain within a composite type, an array or a range.</summary>
public sealed class ParameterTypeTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Schema =
        """
        DROP SCHEMA public CASCADE; CREATE SCHEMA public;
        CREATE FUNCTION leak(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('app.tenant_id', 'foreign', false); RETURN true; END $$;
        CREATE DOMAIN leaking AS int CHECK (leak(VALUE));
        CREATE TYPE composed AS (n leaking);
        CREATE TYPE spread AS RANGE (SUBTYPE = leaking);
        DROP SCHEMA IF EXISTS types CASCADE; CREATE SCHEMA types; CREATE DOMAIN types.int4 AS pg_catalog.int4 CHECK (public.leak(VALUE));
        """;

    private const string Leaked = "SELECT coalesce(current_setting('app.tenant_id', true), '')";

    private const string Quiet = "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE FUNCTION leak(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true'; CREATE DOMAIN leaking AS int CHECK (leak(VALUE)); CREATE TYPE composed AS (n leaking)";

    public static TheoryData<string> Kinds => ["composite", "array by name", "array of composites", "range", "array by two names", "array of a namesake"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task SuspectCheckWithinAParameter_ReachesNobodyElse(string kind)
    {
        await PrepareDatabaseAsync(Schema);
        var pool = CreateUnshuffledPool(maxPoolSize: 1, build: builder => builder.ConfigureNpgsql(Map));
        for (var i = 0; i < 3; i++)
        {
            await RunAsync(pool, kind);
            await using var connection = await pool.OpenConnectionAsync();
            Assert.Equal("", await connection.AskAsync<string>(Leaked));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task SuspectCheckWithinAParameter_KeepsTheReadFromSharing(string kind)
    {
        await PrepareDatabaseAsync(Schema);
        var pool = CreateSharingPool(maxPoolSize: 1, configure: options => options.SessionSetting("app.tenant_id", _ => "own", required: true), build: builder => builder.ConfigureNpgsql(Map));
        for (var round = 0; round < 3; round++)
        {
            var seen = await pool.GatherAsync(12, async (connection, i) =>
            {
                if (i == 3)
                {
                    await RunAsync(pool, kind);
                }

                return await connection.AskAsync<string>(Leaked);
            });
            Assert.All(seen, tenant => Assert.Equal("own", tenant));
        }
    }

    [Fact]
    public async Task HarmlessTypes_CostNoReset()
    {
        await PrepareDatabaseAsync(Quiet);
        var log = new CapturedLog();
        var pool = CreateUnshuffledPool(maxPoolSize: 1, build: builder => builder.ConfigureNpgsql(Map).UseLoggerFactory(log));
        await RunAsync(pool, "composite");
        await RunAsync(pool, "composite");
        Assert.DoesNotContain(log.Texts, CapturedLog.IsReset);
    }

    [Fact]
    public async Task BuiltInParameters_CostNoReset_BesideASuspectType()
    {
        await PrepareDatabaseAsync(Schema);
        var log = new CapturedLog();
        var pool = CreateUnshuffledPool(maxPoolSize: 1, build: builder => builder.UseLoggerFactory(log));
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT $1, $2, $3, $4, $5", connection);
        command.Parameters.AddWithValue(1);
        command.Parameters.AddWithValue("text");
        command.Parameters.AddWithValue(new[] { 1, 2 });
        command.Parameters.AddWithValue(new NpgsqlRange<int>(1, 2));
        command.Parameters.Add(new NpgsqlParameter<DateTime> { TypedValue = DateTime.UtcNow });
        await command.ExecuteNonQueryAsync();
        await command.ExecuteNonQueryAsync();
        Assert.DoesNotContain(log.Texts, CapturedLog.IsReset);
    }

    private static async Task RunAsync(TransactionPoolingDataSource pool, string kind)
    {
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT $1 IS NULL", connection);
        command.Parameters.Add(kind switch
        {
            "composite" => new NpgsqlParameter { Value = new Composed { N = 1 } },
            "array by two names" => new NpgsqlParameter { Value = new[] { 1 }, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Integer, DataTypeName = "leaking[]" },
            "array of a namesake" => new NpgsqlParameter { Value = new[] { 1 }, DataTypeName = "types.int4[]" },
            "array by name" => new NpgsqlParameter { Value = new[] { 1 }, DataTypeName = "leaking[]" },
            "array of composites" => new NpgsqlParameter { Value = new[] { new Composed { N = 1 } } },
            _ => new NpgsqlParameter { Value = new NpgsqlRange<int>(1, 2), DataTypeName = "spread" },
        });
        Assert.Equal(false, await command.ExecuteScalarAsync());
    }

    private static void Map(NpgsqlDataSourceBuilder builder)
    {
        builder.MapComposite<Composed>("composed");
        builder.EnableUnmappedTypes();
    }

    private sealed class Composed
    {
        public int N { get; init; }
    }
}
