using System.Data;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A passenger that is set down runs again, which its parameters must stand.</summary>
public sealed class ParametersOfPassengersTests(ServerFixture fixture) : PoolTest(fixture)
{
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
        Assert.Equal(0L, pool.GetTrains().Trains);
    }
}
