using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>How a passenger's turn may end, and what the passengers behind it notice: nothing.</summary>
public sealed class TurnEndTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string FailsLater = "SELECT 1 / (50 - n) FROM generate_series(1, 100) AS n";
    private readonly ManualTimeProvider _time = new(); // so that nobody stalls

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HalfReadReader_WhoseOtherRowsFail_SaysSoWhenItCloses_AsItDoesAlone(bool synchronously)
    {
        await using var plain = await OpenPlainAsync();
        var alone = await Assert.ThrowsAsync<PostgresException>(() => CloseHalfReadAsync(plain.CreateCommand(), synchronously));
        var pool = CreateTimelessPool();
        var reads = await pool.GatherAsync(10, async (connection, i) =>
        {
            if (i % 3 != 1)
            {
                return await connection.AskAsync<int>($"SELECT {i}");
            }

            var error = await Assert.ThrowsAsync<PostgresException>(() => CloseHalfReadAsync(connection.CreateCommand(), synchronously));
            Assert.Equal((alone.SqlState, alone.MessageText), (error.SqlState, error.MessageText));
            return i;
        });
        Assert.Equal(Enumerable.Range(1, 10), reads);
        Assert.True(pool.GetTrains().Trains > 0);
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task CancelRequest_ThatComesTooLateForItsPassenger_NeverHitsTheNextOne()
    {
        var pool = CreateTimelessPool();
        var rows = await pool.GatherAsync(3, async (connection, i) =>
        {
            await using var command = connection.CreateCommand();
            command.CommandText = i == 1 ? "SELECT 1" : "SELECT generate_series(1, 500000)";
            await using var reader = await command.ExecuteReaderAsync();
            Assert.True(await reader.ReadAsync());
            if (i == 1)
            {
                command.Cancel(); // The server is sending the next result by now.
            }

            var count = 1;
            while (await reader.ReadAsync())
            {
                count++;
            }

            return count;
        });
        Assert.Equal([1, 500_000, 500_000], rows);
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task ResultOfSomebodyWhoWasSetDown_WhoseRowsFail_EndsItsTrainAllTheSame()
    {
        var pool = CreateTimelessPool();
        await pool.GatherAsync(4, async (connection, i) =>
        {
            if (i > 1)
            {
                var error = await Assert.ThrowsAsync<PostgresException>(() => CloseHalfReadAsync(connection.CreateCommand(), synchronously: false));
                Assert.Equal(PostgresErrorCodes.DivisionByZero, error.SqlState);
                return 0;
            }

            await using var reader = await connection.ReadAsync("SELECT generate_series(1, 10)");
            Assert.True(await reader.ReadAsync());
            _time.Advance(TimeSpan.FromSeconds(1)); // Too long for those behind.
            return 0;
        });
        Assert.Equal(3L, pool.GetTrains().SetDowns[SetDownReason.Stalled]);
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task CallerThatClosesOnlyItsConnection_HandsTheReaderOn()
    {
        var pool = CreateTimelessPool();
        var reads = await pool.GatherAsync(10, async (connection, i) =>
        {
            var reader = await connection.ReadAsync($"SELECT {i} FROM generate_series(1, 1000)");
            Assert.True(await reader.ReadAsync());
            var value = reader.GetInt32(0);
            if (i % 2 == 0)
            {
                connection.Close();
            }
            else
            {
                await connection.CloseAsync();
            }

            Assert.True(reader.IsClosed);
            return value;
        });
        Assert.Equal(Enumerable.Range(1, 10), reads);
        Assert.Equal((1L, 10), (pool.GetTrains().Trains, pool.GetTrains().Longest));
        await pool.WaitUntilUnusedAsync();
    }

    private static async Task CloseHalfReadAsync(DbCommand command, bool synchronously)
    {
        await using (command)
        {
            command.CommandText = FailsLater;
            var reader = await command.ExecuteReaderAsync();
            Assert.True(await reader.ReadAsync());
            Assert.Equal(0, reader.GetInt32(0));
            if (synchronously)
            {
                reader.Close();
            }
            else
            {
                await reader.CloseAsync();
            }
        }
    }

    private TransactionPoolingDataSource CreateTimelessPool()
        => CreateSharingPool(maxPoolSize: 1, keywords: "Command Timeout=5", build: builder => builder.UseTimeProvider(_time));
}
