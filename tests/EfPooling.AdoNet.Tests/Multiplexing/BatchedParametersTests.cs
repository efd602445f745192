using System.Data;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A batched read that is requeued runs again, which its parameters must stand.</summary>
public sealed class BatchedParametersTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData("SELECT @n; -- by key")]
    [InlineData("SELECT @n;;")]
    [InlineData(";WITH one AS (SELECT @n AS n) SELECT n FROM one")]
    public async Task TextThatNpgsqlTakesForSeveralStatements_RunsAlone(string sql)
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        var answers = await pool.GatherAsync(5, AskAsync);
        Assert.Equal(Enumerable.Range(1, 5), answers);
        Assert.Equal(0L, pool.GetMultiplexingStatistics().Batches);

        async Task<int> AskAsync(LogicalConnection connection, int i)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.Parameters.AddWithValue("n", i);
            return (int)(await command.ExecuteScalarAsync())!;
        }
    }

    [Fact]
    public async Task ParameterThatCanBeReadOnlyOnce_DoesNotTravel()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        var lengths = await pool.GatherAsync(5, async (connection, i) =>
        {
            if (i == 1)
            {
                await Assert.ThrowsAsync<PostgresException>(() => connection.AskAsync<int>("SELECT 1 / 0")); // Sets the others down.
                return 1000;
            }

            await using var command = new LogicalCommand("SELECT length($1)", connection) { Parameters = { new NpgsqlParameter { Value = new MemoryStream(new byte[1000]) } } };
            return (int)(await command.ExecuteScalarAsync())!;
        });
        Assert.Equal(Enumerable.Repeat(1000, 5), lengths);
    }

    [Fact]
    public async Task OutputParameter_IsFilled_AndDoesNotTravel()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        await pool.GatherAsync(5, async (connection, i) =>
        {
            var output = new NpgsqlParameter("result", DbType.Int32) { Direction = ParameterDirection.Output };
            await using var command = new LogicalCommand($"SELECT {i} AS result", connection) { Parameters = { output } };
            await using var reader = await command.ExecuteReaderAsync();
            Assert.Equal(i, output.Value);
            return 0;
        });
        Assert.Equal(0L, pool.GetMultiplexingStatistics().Batches);
    }

    [Fact]
    public void OnlyValuesThatNobodyCanChange_Travel()
    {
        NpgsqlParameter[] frozen =
        [
            new() { Value = 1 }, new() { Value = "text" }, new() { Value = DBNull.Value }, new() { Value = DateTime.UnixEpoch }, new() { Value = DayOfWeek.Friday },
            new() { Value = new NpgsqlTypes.NpgsqlRange<int>(1, 2) }, new NpgsqlParameter<Guid>("p", Guid.Empty), new NpgsqlParameter<string>("p", "text"), new NpgsqlParameter<object>("p", 1.5m),
        ];
        NpgsqlParameter[] others =
        [
            new() { Value = new[] { 1 } }, new() { Value = new List<int>() }, new() { Value = new byte[1] }, new() { Value = new MemoryStream() }, new() { Value = new ReadOnlyMemory<byte>([1]) },
            new NpgsqlParameter<int[]>("p", [1]), new NpgsqlParameter<object>("p", new[] { 1 }), new NpgsqlParameter<ReadOnlyMemory<byte>>("p", new byte[1]),
            new("p", 1) { Direction = ParameterDirection.InputOutput },
        ];
        Assert.All(frozen, parameter => Assert.True(CanBeCopied(parameter), parameter.Value?.GetType().Name));
        Assert.All(others, parameter => Assert.False(CanBeCopied(parameter), parameter.Value?.GetType().Name));

        static bool CanBeCopied(NpgsqlParameter parameter)
        {
            using var command = new NpgsqlCommand { Parameters = { parameter } };
            return BatchedParameters.CanBeCopied(command.Parameters);
        }
    }
}
