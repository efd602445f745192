using System.Data;
using Dapper;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Reads of several callers that share a round trip: which may, and that each sees what it would have seen alone.</summary>
public sealed class ReadBatchTests(ServerFixture fixture) : ItemReadersTest(fixture)
{
    [Fact]
    public async Task Reads_ThatFindNoServerConnectionFree_ShareARoundTrip()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        var reads = await pool.GatherAsync(Callers, (connection, i) => connection.AskAsync<string>($"SELECT name FROM item WHERE id = {i}"));
        Assert.Equal(Names(1, Callers), reads);
        Assert.Equal((1L, 10L, 10), (pool.GetMultiplexingStatistics().Batches, pool.GetMultiplexingStatistics().BatchedReads, pool.GetMultiplexingStatistics().LargestBatch));
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Theory]
    [InlineData("SELECT nextval('batch_tests')")]
    [InlineData("SELECT name FROM item WHERE id = 1 FOR UPDATE")]
    [InlineData("SELECT random()")]
    [InlineData("UPDATE item SET name = name WHERE id = 1 RETURNING name")]
    [InlineData("-- EfPooling: Multiplexing=Off\nSELECT name FROM item WHERE id = 1")]
    public async Task WhatIsNoPureRead_OrWantsNot_RunsAlone(string sql)
    {
        await PrepareDatabaseAsync("CREATE SEQUENCE IF NOT EXISTS batch_tests");
        var pool = CreateSharingPool(maxPoolSize: 1);
        await pool.GatherAsync(Callers, (connection, _) => connection.AskAsync<object>(sql));
        Assert.Equal(0L, pool.GetMultiplexingStatistics().Batches);
    }

    [Fact]
    public async Task SwitchedOff_ForThePoolOrTheConnection_EveryoneRunsAlone()
    {
        foreach (var (mode, ofConnection) in new[] { (MultiplexingMode.Off, MultiplexingMode.Auto), (MultiplexingMode.Auto, MultiplexingMode.Off) })
        {
            var pool = CreateSharingPool(maxPoolSize: 1, configure: options => options.Multiplexing = mode);
            var reads = await pool.GatherAsync(Callers, (connection, i) =>
            {
                connection.Multiplexing = ofConnection;
                return connection.AskAsync<string>($"SELECT name FROM item WHERE id = {i}");
            });
            Assert.Equal(Names(1, Callers), reads);
            Assert.Equal(0L, pool.GetMultiplexingStatistics().Batches);
        }
    }

    [Fact]
    public async Task ReadInATransaction_NeverSharesItsServerConnection()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        var backends = await pool.GatherAsync(Callers, async (connection, _) =>
        {
            await using var transaction = await connection.BeginTransactionAsync();
            return await connection.AskAsync<string>("SELECT name FROM item WHERE id = 1");
        });
        Assert.Equal(Callers, backends.Length);
        Assert.Equal(0L, pool.GetMultiplexingStatistics().Batches);
    }

    [Theory]
    [InlineData("SELECT nonsense FROM item", PostgresErrorCodes.UndefinedColumn)]
    [InlineData("SELECT 1 / (id - 1) FROM item WHERE id = 1", PostgresErrorCodes.DivisionByZero)]
    [InlineData("SELECT 1 / (50 - id) FROM item ORDER BY id", PostgresErrorCodes.DivisionByZero)]
    public async Task Failure_IsSeenByWhoeverFailed_AndByNobodyElse(string failing, string sqlState)
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        var reads = await pool.GatherAsync(Callers, async (connection, i) =>
        {
            if (i % 4 != 1)
            {
                return await connection.AskAsync<string>($"SELECT name FROM item WHERE id = {i}");
            }

            var error = await Assert.ThrowsAsync<PostgresException>(() => connection.QueryAsync<int>(failing));
            Assert.Equal(sqlState, error.SqlState);
            return $"item {i}";
        });
        Assert.Equal(Names(1, Callers), reads);
        Assert.True(pool.GetMultiplexingStatistics().Batches > 0);
    }

    [Fact]
    public async Task Parameters_TravelWithTheirBatchedRead_AndTheCommandMayRunAgain()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        var reads = await pool.GatherAsync(Callers, async (connection, i) =>
        {
            await using var command = new LogicalCommand("SELECT name FROM item WHERE id = @id AND name LIKE @like", connection);
            command.Parameters.Add(new NpgsqlParameter<int>("id", i));
            command.Parameters.AddWithValue("like", "item%");
            var first = (string)(await command.ExecuteScalarAsync())!;
            command.Parameters["id"].Value = i + 1;
            return first + ", " + await command.ExecuteScalarAsync();
        });
        Assert.Equal(Enumerable.Range(1, Callers).Select(i => $"item {i}, item {i + 1}"), reads);
        Assert.True(pool.GetMultiplexingStatistics().BatchedReads >= Callers);
    }

    [Fact]
    public async Task BatchedReadThatIsCancelled_BeforeOrInItsResultSlot_HarmsNobody()
    {
        var pool = CreateSharingPool(maxPoolSize: 1);
        var reads = await pool.GatherAsync(Callers, async (connection, i) =>
        {
            using var cancellation = new CancellationTokenSource();
            if (i % 3 == 0)
            {
                var reading = connection.AskAsync<string>($"SELECT name FROM item WHERE id = {i}", cancellation.Token);
                await cancellation.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
                return $"item {i}";
            }

            if (i == 4)
            {
                // Its rows do not come at once, so that the cancellation meets it in its turn.
                await using var command = new LogicalCommand("SELECT count(*) OVER (), repeat('x', 10000) FROM generate_series(1, 1000000) LIMIT 2000", connection);
                await using var reader = await command.ExecuteReaderAsync(cancellation.Token);
                await cancellation.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
                {
                    while (await reader.ReadAsync(cancellation.Token))
                    {
                    }
                });
                return $"item {i}";
            }

            return await connection.AskAsync<string>($"SELECT name FROM item WHERE id = {i}");
        });
        Assert.Equal(Names(1, Callers), reads);
        await pool.WaitUntilUnusedAsync();
    }

    [Fact]
    public async Task BatchedReadThatAwaitsAnotherOneOfItsReadBatch_GetsThrough()
    {
        var pool = CreateSharingPool(maxPoolSize: 2);
        await using var outer = await pool.OpenConnectionAsync();
        await using var inner = await pool.OpenConnectionAsync();
        var both = new[] { outer, inner };
        await pool.GatherAsync(
            Callers,
            async (_, i) =>
            {
                if (i > 1)
                {
                    return 0;
                }

                await using var first = new LogicalCommand("SELECT name FROM item ORDER BY id LIMIT 2", both[0]);
                await using var second = new LogicalCommand("SELECT name FROM item ORDER BY id DESC LIMIT 2", both[1]);
                var (one, two) = (first.ExecuteReaderAsync(), second.ExecuteReaderAsync());
                await using var reader = await one;
                Assert.True(await reader.ReadAsync());
                await using (var other = await two)
                {
                    Assert.True(await other.ReadAsync());
                    Assert.Equal("item 100", other.GetString(0));
                }

                Assert.True(await reader.ReadAsync());
                Assert.Equal("item 2", reader.GetString(0));
                return 0;
            });
        Assert.Equal(1L, pool.GetMultiplexingStatistics().Requeued[RequeueReason.Stalled]);
    }

    [Fact]
    public async Task KilledServerConnection_IsNotNoticedByBatchedReads_WhoRunAgain()
    {
        // PostgreSQL ignores a cancel request that comes just before its statement. Npgsql then hangs up, which only this lets it notice.
        var pool = CreateSharingPool(maxPoolSize: 1, keywords: "Options=-c client_connection_check_interval=100ms");
        await using var slow = await pool.OpenConnectionAsync();
        using var cancellation = new CancellationTokenSource();
        Task<int>? slowly = null;
        var crowd = pool.GatherAsync(Callers, (connection, i) =>
        {
            // The read batch's first statement takes long enough to be killed.
            slowly ??= slow.AskAsync<int>("SELECT max(n)::int FROM generate_series(1, 1000000000) AS n", cancellation.Token);
            return connection.AskAsync<string>($"SELECT name FROM item WHERE id = {i}");
        });
        await Server.TerminateBackendAsync(await WaitForQueryAsync(pool, "generate_series"));
        await cancellation.CancelAsync(); // It runs again alone, before the others or after them.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slowly!);
        Assert.Equal(Names(1, Callers), await crowd);
    }

    [Fact]
    public async Task Settings_AreThoseOfTheBatchedRead()
    {
        await PrepareDatabaseAsync(
            """
            CREATE TABLE IF NOT EXISTS tenants_item (tenant text, name text);
            INSERT INTO tenants_item SELECT t, 'of ' || t FROM unnest(ARRAY['a', 'b', 'c']) t;
            """);
        var tenant = new AsyncLocal<string>();
        var pool = CreateSharingPool(maxPoolSize: 1, configure: options => options.SessionSetting("app.tenant_id", _ => tenant.Value));
        var reads = await pool.GatherAsync(
            Callers,
            async (connection, i) =>
            {
                tenant.Value = i % 2 == 0 ? "a" : "b";
                return await connection.AskAsync<string>("SELECT name FROM tenants_item WHERE tenant = current_setting('app.tenant_id')");
            });
        Assert.Equal(Enumerable.Range(1, Callers).Select(i => i % 2 == 0 ? "of a" : "of b"), reads);
        Assert.Equal((2L, 5), (pool.GetMultiplexingStatistics().Batches, pool.GetMultiplexingStatistics().LargestBatch));
    }

    [Fact]
    public async Task BatchedReadThatTimesOut_IsTheOnlyOneWhoDoes()
    {
        // A backend that was not at work yet takes no notice of the read batch's cancel request, and Npgsql sends no other when the time is up.
        var pool = CreateSharingPool(maxPoolSize: 1, keywords: "Options=-c client_connection_check_interval=100ms");
        await using var slow = await pool.OpenConnectionAsync();
        Task<object?>? slowly = null;
        var reads = await pool.GatherAsync(Callers, (connection, i) =>
        {
            slowly ??= new LogicalCommand("SELECT max(n)::int FROM generate_series(1, 100000000) AS n", slow) { CommandTimeout = 1 }.ExecuteScalarAsync();
            return AskAsync(connection, i);
        });
        Assert.Equal(Names(1, Callers), reads);
        Assert.IsType<TimeoutException>((await Assert.ThrowsAsync<NpgsqlException>(() => slowly!)).InnerException);

        static async Task<string> AskAsync(LogicalConnection connection, int i)
        {
            await using var command = new LogicalCommand($"SELECT name FROM item WHERE id = {i}", connection) { CommandTimeout = 1 };
            return (string)(await command.ExecuteScalarAsync())!;
        }
    }
}
