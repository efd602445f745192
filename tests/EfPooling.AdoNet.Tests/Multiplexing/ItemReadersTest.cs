namespace EfPooling.AdoNet.Tests;

/// <summary>For tests in which a crowd reads a table of a hundred items.</summary>
public abstract class ItemReadersTest(ServerFixture fixture) : PoolTest(fixture)
{
    protected const int Callers = 10;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync(
            """
            CREATE TABLE IF NOT EXISTS item (id int PRIMARY KEY, name text);
            INSERT INTO item SELECT i, 'item ' || i FROM generate_series(1, 100) i ON CONFLICT DO NOTHING;
            """);
    }

    protected static IEnumerable<string> Names(int from, int count) => Enumerable.Range(from, count).Select(i => $"item {i}");
}
