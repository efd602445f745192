using System.Data.Common;
using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

public sealed class DataSourceTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task CreateCommand_OpensAndClosesAConnectionAroundIt()
    {
        var pool = CreatePool();
        await using var command = pool.CreateCommand("SELECT generate_series(1, 2)");

        Assert.Equal(1, await command.ExecuteScalarAsync());
        Assert.Equal(1, command.ExecuteScalar());
        await using (var reader = await command.ExecuteReaderAsync())
        {
            Assert.True(await reader.ReadAsync());
            Assert.Equal(1, pool.GetSnapshot().InUse);
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task CreateBatch_OpensAndClosesAConnectionAroundIt()
    {
        var pool = CreatePool();
        await using var batch = pool.CreateBatch();
        batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT 1"));

        Assert.Equal(1, await batch.ExecuteScalarAsync());
    }

    [Fact]
    public async Task BaseClassMembers_GiveOurConnections()
    {
        DbDataSource pool = CreatePool();

        await using var created = Assert.IsAssignableFrom<LogicalConnection>(pool.CreateConnection());
        await using var opened = Assert.IsAssignableFrom<LogicalConnection>(await pool.OpenConnectionAsync());
        using var openedToo = Assert.IsAssignableFrom<LogicalConnection>(pool.OpenConnection());
        Assert.Equal(ConnectionString.Split(';')[0], pool.ConnectionString.Split(';')[0]);
    }

    [Fact]
    public async Task Dispose_ClosesTheServerConnections_AndTheLastHolderClosesHis()
    {
        var pool = CreatePool();
        var connection = await pool.OpenConnectionAsync();
        var reader = await connection.ReadAsync("SELECT 1");
        await using (var other = await pool.OpenConnectionAsync())
        {
            await other.RunAsync("SELECT 1");
        }

        await pool.DisposeAsync();
        await WaitForBackendsAsync(pool, backends => backends.Count == 1);
        Assert.True(await reader.ReadAsync());
        await connection.DisposeAsync();

        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
        pool.Dispose();
    }

    [Fact]
    public async Task Close_WaitsForWhatRuns()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        var reader = await connection.ReadAsync("SELECT 1");

        var closing = pool.CloseAsync(Patience);
        await Assert.ThrowsAsync<PoolClosedException>(async () => await pool.OpenConnectionAsync());
        Assert.False(closing.IsCompleted);
        await reader.DisposeAsync();

        Assert.True(await closing);
    }

    [Fact]
    public async Task Clear_ClosesUnusedServerConnectionsNow_AndUsedOnesLater()
    {
        var pool = CreateUnshuffledPool();
        await using var connection = await pool.OpenConnectionAsync();
        var reader = await connection.ReadAsync(Sql.BackendId);
        await reader.ReadAsync();
        var backend = reader.GetInt32(0);

        pool.Clear();
        await reader.DisposeAsync();

        Assert.NotEqual(backend, await connection.AskAsync<int>(Sql.BackendId));
        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.Cleared]);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ReloadTypes_MakesANewTypeKnown(bool asynchronous)
    {
        await PrepareDatabaseAsync("DROP TYPE IF EXISTS mood");
        var pool = CreatePool(build: builder => builder.ConfigureNpgsql(npgsql => npgsql.EnableUnmappedTypes()));
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("CREATE TYPE mood AS ENUM ('happy', 'sad')");
        if (asynchronous)
        {
            await pool.ReloadTypesAsync();
        }
        else
        {
            pool.ReloadTypes();
        }

        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT $1";
        command.Parameters.Add(new NpgsqlParameter { Value = "happy", DataTypeName = "mood" });
        Assert.Equal("happy", await command.ExecuteScalarAsync());
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task OldestLeases_AreListedUpToALimit()
    {
        var time = new ManualTimeProvider();
        var pool = CreatePool(build: builder => builder.UseTimeProvider(time));
        await using var first = await pool.OpenConnectionAsync();
        await using var second = await pool.OpenConnectionAsync();
        await using var firstReader = await first.ReadAsync("SELECT 'first'");
        time.Advance(TimeSpan.FromMilliseconds(1));
        await using var secondReader = await second.ReadAsync("-- a tag\nSELECT 'second\n  of two'" + string.Concat(Enumerable.Repeat(", 'a value that nobody is to see'", 40)));

        Assert.Equal("SELECT 'first'", Assert.Single(pool.GetOldestLeases(limit: 1)).Activity);
        var activity = pool.GetOldestLeases()[1].Activity!;
        Assert.StartsWith("SELECT 'second   of two', '…', '…'", activity, StringComparison.Ordinal);
        Assert.Equal(121, activity.Length);
    }

    [Fact]
    public async Task Close_OfAPoolWithOthersReachedFromIt_WaitsForAllOfThemAtOnce()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var here = await pool.OpenConnectionAsync();
        await using var there = await pool.OpenConnectionAsync();
        await there.ChangeDatabaseAsync("postgres");
        await using var late = (LogicalConnection)there.Clone();
        await late.OpenAsync();
        var transactionHere = await here.BeginTransactionAsync();
        await here.RunAsync("SELECT 1");
        var transactionThere = await there.BeginTransactionAsync();
        await there.RunAsync("SELECT 1");

        var closing = pool.CloseAsync(Patience);
        await Assert.ThrowsAsync<PoolClosedException>(() => late.RunAsync("SELECT 1"));

        await transactionHere.DisposeAsync();
        await transactionThere.DisposeAsync();
        Assert.True(await closing);
    }

    [Fact]
    public async Task ConnectionString_OfAClosedFamily_IsRefused()
    {
        var pool = CreatePool();
        await pool.CloseAsync(TimeSpan.Zero);
        await using var connection = pool.CreateConnection();

        Assert.Throws<PoolClosedException>(() => connection.ConnectionString = $"{ConnectionString};Application Name=other");
    }
}
