using System.Data;
using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>How a batched read's turn may end, and what the batched reads behind it notice: nothing.</summary>
public sealed class ResultSlotEndTests(ServerFixture fixture) : PoolTest(fixture)
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
        Assert.True(pool.GetMultiplexingStatistics().Batches > 0);
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task CancelRequest_ThatComesTooLateForItsBatchedRead_NeverHitsTheNextOne()
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
    public async Task CancelRequest_OfABatchedRead_StopsItAsIfItRanAlone_AndNobodyElse()
    {
        await using var plain = await OpenPlainAsync();
        await using var sleeper = new NpgsqlCommand("SELECT pg_sleep(600)", plain);
        var sleeping = sleeper.ExecuteScalarAsync();
        sleeper.Cancel();
        var alone = await Assert.ThrowsAnyAsync<Exception>(() => sleeping);
        var pool = CreateTimelessPool();
        var commands = new DbCommand[4];
        var reads = await pool.GatherAsync(3, async (connection, i) =>
        {
            await using var command = commands[i] = connection.CreateCommand();
            command.CommandText = $"SELECT {i}";
            if (i != 1)
            {
                return i == 3 ? (int)(await command.ExecuteScalarAsync())! : await FailAsync(command);
            }

            await using var reader = await command.ExecuteReaderAsync();
            Assert.True(await reader.ReadAsync());
            commands[2].Cancel();
            return reader.GetInt32(0);
        });
        Assert.Equal([1, 2, 3], reads);
        Assert.Equal(0L, pool.GetMultiplexingStatistics().Requeued.Values.Sum());
        Assert.Equal(1L, pool.GetSnapshot().Opened);
        await pool.WaitUntilUnusedAsync();

        async Task<int> FailAsync(DbCommand command)
        {
            var error = await Assert.ThrowsAnyAsync<Exception>(() => command.ExecuteScalarAsync());
            Assert.Equal((alone.GetType(), alone.Message), (error.GetType(), error.Message));
            Assert.Equal((alone.InnerException as PostgresException)?.MessageText, (error.InnerException as PostgresException)?.MessageText);
            return 2;
        }
    }

    [Fact]
    public async Task CallerThatCancelsTheReadingOfAStream_StopsNobodyElse()
    {
        var pool = CreateTimelessPool();
        var reads = await pool.GatherAsync(4, async (connection, i) =>
        {
            await using var command = connection.CreateCommand();
            command.CommandText = i == 1 ? "SELECT decode(repeat('00', 100000), 'hex')" : $"SELECT repeat('{i}', 200000)";
            await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess);
            Assert.True(await reader.ReadAsync());
            if (i != 1)
            {
                return reader.GetString(0);
            }

            var stream = reader.GetStream(0);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.CopyToAsync(new MemoryStream(), new CancellationToken(canceled: true)));
            return "";
        });
        Assert.Equal(["", .. Enumerable.Range(2, 3).Select(i => new string((char)('0' + i), 200_000))], reads);
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task CallerThatAsksForAnotherType_KeepsItsReader_AndNobodyIsRequeued()
    {
        var pool = CreateTimelessPool();
        var reads = await pool.GatherAsync(4, async (connection, i) =>
        {
            await using var reader = await connection.ReadAsync($"SELECT {i}");
            Assert.True(await reader.ReadAsync());
            await Assert.ThrowsAsync<InvalidCastException>(() => reader.GetFieldValueAsync<Guid>(0));
            return await reader.GetFieldValueAsync<int>(0);
        });
        Assert.Equal([1, 2, 3, 4], reads);
        Assert.Equal((4L, 0L), (pool.GetMultiplexingStatistics().BatchedReads, pool.GetMultiplexingStatistics().Requeued.Values.Sum()));
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task CallerWhoseFollowersWereRequeued_DoesNotWaitForTheirResults()
    {
        var pool = CreateTimelessPool();
        using var enough = new CancellationTokenSource();
        var reads = await pool.GatherAsync(2, async (connection, i) =>
        {
            if (i == 2)
            {
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connection.AskAsync<int>("SELECT max(n)::int FROM generate_series(1, 1000000000000) AS n", enough.Token));
                return 2;
            }

            await using (var reader = await connection.ReadAsync("SELECT n FROM generate_series(1, 10000) AS n")) // More than the server keeps to itself.
            {
                Assert.True(await reader.ReadAsync());
                _time.Advance(TimeSpan.FromSeconds(1));
            }

            await enough.CancelAsync(); // Not before this reader is closed, and no clock moves.
            return 1;
        });
        Assert.Equal([1, 2], reads);
        while (pool.GetSnapshot().InUse > 0)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10)); // The read batch's server is asked to stop what nobody wants.
            await Task.Yield();
        }
    }

    [Fact]
    public async Task ResultOfSomebodyWhoWasRequeued_WhoseRowsFail_EndsItsReadBatchAllTheSame()
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
        Assert.Equal(3L, pool.GetMultiplexingStatistics().Requeued[RequeueReason.Stalled]);
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
        Assert.Equal((1L, 10), (pool.GetMultiplexingStatistics().Batches, pool.GetMultiplexingStatistics().LargestBatch));
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
        => CreateSharingPool(maxPoolSize: 1, keywords: "Command Timeout=5;Options=-c client_connection_check_interval=100ms", build: builder => builder.UseTimeProvider(_time));
}
