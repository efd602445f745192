using System.Data;

namespace EfPooling.AdoNet.Tests;

/// <summary>What a batched read reads looks like what it would have read alone.</summary>
public sealed class BatchedResultsTests(ServerFixture fixture) : ItemReadersTest(fixture)
{
    [Fact]
    public async Task WhoReadsInSequence_SharesWithItsKind()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        var reads = await pool.GatherAsync(Callers, async (connection, i) =>
        {
            await using var command = connection.CreateCommand();
            command.CommandText = $"SELECT name, id FROM item WHERE id = {i}";
            await using var reader = await command.ExecuteReaderAsync(i % 2 == 0 ? CommandBehavior.SequentialAccess : CommandBehavior.Default);
            Assert.True(await reader.ReadAsync());
            Assert.Equal(i, reader.GetInt32(1));
            if (i % 2 != 0)
            {
                return reader.GetString(0);
            }

            Assert.Throws<InvalidOperationException>(() => reader.GetString(0)); // It has streamed by.
            return $"item {i}";
        });
        Assert.Equal(Names(1, Callers), reads);
        Assert.Equal((2L, 10L), (pool.GetMultiplexingStatistics().Batches, pool.GetMultiplexingStatistics().BatchedReads));
    }

    [Fact]
    public async Task ReaderOfABatchedRead_LooksLikeOneOfItsOwn()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        await pool.GatherAsync(Callers, async (connection, i) =>
        {
            var behavior = i % 2 == 0 ? CommandBehavior.Default : CommandBehavior.SingleRow;
            await using var command = new LogicalCommand($"SELECT id, name, NULL::int AS nothing FROM item WHERE id >= {i} ORDER BY id LIMIT 3", connection);
            await using var reader = await command.ExecuteReaderAsync(behavior);
            Assert.Equal((3, true, -1), (reader.FieldCount, reader.HasRows, reader.RecordsAffected));
            Assert.Equal("nothing", reader.GetName(2));
            var rows = 0;
            while (i % 3 == 0 ? reader.Read() : await reader.ReadAsync())
            {
                Assert.Equal(i + rows++, reader.GetInt32(0));
                Assert.True(await reader.IsDBNullAsync(2));
            }

            Assert.Equal(behavior == CommandBehavior.SingleRow ? 1 : 3, rows);
            Assert.False(i % 3 == 0 ? reader.NextResult() : await reader.NextResultAsync());
            Assert.False(await reader.ReadAsync());
            Assert.Equal((0, false), (reader.FieldCount, reader.HasRows));
            await reader.CloseAsync();
            Assert.Equal(-1, reader.RecordsAffected);
            return 0;
        });
        Assert.Equal(10, pool.GetMultiplexingStatistics().LargestBatch);
    }

    [Fact]
    public async Task Scalar_OfNoRow_AndOfNull_AreToldApart()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        var values = await pool.GatherAsync(Callers, async (connection, i) =>
        {
            await using var command = new LogicalCommand(i % 2 == 0 ? "SELECT name FROM item WHERE id = -1" : "SELECT NULL::text FROM item LIMIT 1", connection);
            return await command.ExecuteScalarAsync();
        });
        Assert.Equal(Enumerable.Range(1, Callers).Select(i => i % 2 == 0 ? null : (object)DBNull.Value), values);
        Assert.Equal(10, pool.GetMultiplexingStatistics().LargestBatch);
    }
}
