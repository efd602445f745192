using System.Data;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Random reads of random tables show in crowded read batches exactly what they show alone on a plain Npgsql connection.</summary>
public sealed class ReadBatchDifferentialTests(ServerFixture fixture, ITestOutputHelper output) : PoolTest(fixture)
{
    private const int Tables = 6;
    private const int QueriesPerTable = 40;
    private const int CrowdsPerTable = 4;
    private const int Callers = 48;

    private enum Mood
    {
        Happy,
        Sad,
    }

    [Theory]
    [InlineData(1, "")]
    [InlineData(2, "Max Auto Prepare=20;Auto Prepare Min Usages=2")]
    public async Task RandomReads_InReadBatches_AreTheSameAsAlone(int servers, string keywords)
    {
        var random = new Random(Seed.Choose(output));
        await PrepareDatabaseAsync(
            """
            DROP SCHEMA public CASCADE; CREATE SCHEMA public;
            CREATE TYPE mood AS ENUM ('happy', 'sad');
            CREATE TYPE pair AS (number int, name text);
            CREATE DOMAIN positive AS int CHECK (value > 0);
            """);
        var tables = new List<IReadOnlyList<string>>();
        for (var i = 0; i < Tables; i++)
        {
            tables.Add(await CreateTableAsync($"random_{i}", random, columns: i == 0 ? 100 : random.Next(3, 15), rows: i == 1 ? 0 : i == 2 ? 2000 : random.Next(1, 60)));
        }

        var builder = new NpgsqlDataSourceBuilder($"{ConnectionString};Pooling=false");
        Map(builder);
        await using var source = builder.Build();
        await using var plain = await source.OpenConnectionAsync();
        var still = new ManualTimeProvider(); // So that a busy machine sets nobody down for being slow.
        var pool = CreateSharingPool(servers, keywords, build: pooled => pooled.ConfigureNpgsql(Map).UseTimeProvider(still));
        for (var table = 0; table < Tables; table++)
        {
            await CompareAsync(plain, pool, random, table, tables[table]);
        }

        var batches = pool.GetMultiplexingStatistics();
        output.WriteLine($"{batches.Batches} batches, {batches.BatchedReads} reads, {string.Join(", ", batches.Requeued)}");
        var arrived = batches.BatchedReads - batches.Requeued.Values.Sum();
        Assert.True(arrived > Tables * CrowdsPerTable * Callers / 2, $"Of {batches.BatchedReads} reads only {arrived} had their turn in a batch.");
        await pool.WaitUntilUnusedAsync();
    }

    private static async Task CompareAsync(NpgsqlConnection plain, TransactionPoolingDataSource pool, Random random, int table, IReadOnlyList<string> columns)
    {
        var queries = new List<(RandomQuery Query, string Alone)>();
        for (var i = 0; i < QueriesPerTable; i++)
        {
            var query = RandomQuery.Create(random, $"random_{table}", columns) with { Behavior = random.Next(2) == 0 ? CommandBehavior.SequentialAccess : CommandBehavior.Default };
            queries.Add((query, await Transcript.TakeAsync(plain, query, synchronously: false)));
        }

        for (var crowd = 0; crowd < CrowdsPerTable; crowd++)
        {
            var choices = Enumerable.Range(0, Callers).Select(_ => (queries[random.Next(queries.Count)], Synchronously: random.Next(3) == 0)).ToArray();
            await pool.GatherAsync(Callers, async (connection, i) =>
            {
                var ((query, alone), synchronously) = choices[i - 1];
                var shared = await Transcript.TakeAsync(connection, query, synchronously);
                Assert.True(alone == shared, $"{query.Text}\nalone:\n{alone}\nin a batch:\n{shared}");
                return 0;
            });
        }
    }

    private static void Map(NpgsqlDataSourceBuilder builder)
    {
        builder.MapEnum<Mood>("mood");
        builder.MapComposite<Pair>("pair");
    }

    /// <returns>The random columns.</returns>
    private async Task<IReadOnlyList<string>> CreateTableAsync(string name, Random random, int columns, int rows)
    {
        var types = Enumerable.Range(0, columns).Select(_ => RandomType.All[random.Next(RandomType.All.Count)]).ToArray();
        var names = types.Select((_, i) => $"c{i}").ToArray();
        await PrepareDatabaseAsync($"CREATE TABLE {name} (id int PRIMARY KEY, large text NOT NULL, {string.Join(", ", types.Select((type, i) => $"c{i} {type.Name}"))})");
        if (rows > 0)
        {
            // Some rows differ, and are repeated in turn.
            var different = Enumerable.Range(0, Math.Min(rows, 20)).Select(i => $"({i}, {string.Join(", ", types.Select(type => type.Value(random)))})");
            await PrepareDatabaseAsync(
                $"""
                INSERT INTO {name} SELECT n, repeat('x', CASE WHEN n % 10 = 3 THEN 30000 ELSE n % 7 END), {string.Join(", ", names.Select(column => $"v.{column}"))}
                FROM generate_series(0, {rows - 1}) AS n JOIN (VALUES {string.Join(", ", different)}) AS v (k, {string.Join(", ", names)}) ON v.k = n % {Math.Min(rows, 20)}
                """);
        }

        return names;
    }

    private sealed record Pair
    {
        public int? Number { get; init; }

        public string? Name { get; init; }
    }
}
