using Dapper;

namespace EfPooling.AdoNet.Tests;

/// <summary>Dapper's reads share round trips without any change.</summary>
public sealed class DapperReadBatchTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const int Callers = 20;
    private const string Sql = "SELECT @i + n AS \"Value\" FROM generate_series(0, 4) AS n";

    [Fact]
    public Task Query_Boards() => ShareAsync(async (connection, i) => Assert.Equal(Enumerable.Range(i, 5), await connection.QueryAsync<int>(Sql, new { i })));

    [Fact]
    public Task QueryFirst_Boards() => ShareAsync(async (connection, i) => Assert.Equal(i, (await connection.QueryFirstAsync<Row>(Sql, new { i })).Value));

    [Fact]
    public Task UnbufferedQuery_Boards() => ShareAsync(async (connection, i) =>
    {
        var values = new List<int>();
        await foreach (var row in connection.QueryUnbufferedAsync<Row>(Sql, new { i }))
        {
            values.Add(row.Value);
        }

        Assert.Equal(Enumerable.Range(i, 5), values);
    });

    [Fact]
    public async Task QueryMultiple_HasAServerConnectionOfItsOwn()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        await pool.GatherAsync(Callers, async (connection, i) =>
        {
            await using var grid = await connection.QueryMultipleAsync("SELECT @i; SELECT @i + 1", new { i });
            Assert.Equal((i, i + 1), (await grid.ReadSingleAsync<int>(), await grid.ReadSingleAsync<int>()));
            return 0;
        });
        Assert.Equal(0L, pool.GetMultiplexingStatistics().Batches);
    }

    private async Task ShareAsync(Func<LogicalConnection, int, Task> read)
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        await pool.GatherAsync(Callers, async (connection, i) =>
        {
            await read(connection, i);
            return 0;
        });
        Assert.True(pool.GetMultiplexingStatistics().BatchedReads >= Callers, pool.GetMultiplexingStatistics().ToString());
        await pool.WaitUntilUnusedAsync();
    }

    private sealed class Row
    {
        public int Value { get; init; }
    }
}
