using System.Data;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Commands of a transaction use Npgsql's command one after the other, and nobody can tell.</summary>
public sealed class CachedCommandTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task NextCommand_IsLikeNew()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var first = connection.CreateCommand())
        {
            first.CommandText = "SELECT $1 + $2";
            first.Parameters.Add(new NpgsqlParameter<int> { TypedValue = 1 });
            first.Parameters.Add(new NpgsqlParameter<int> { TypedValue = 2 });
            Assert.Equal(3, await first.ExecuteScalarAsync());
        }

        await using var second = connection.CreateCommand();
        Assert.Equal(("", 0, CommandType.Text, pool.CommandTimeout), (second.CommandText, second.Parameters.Count, second.CommandType, second.CommandTimeout));
        second.CommandText = "SELECT @a";
        second.Parameters.AddWithValue("a", "other");
        Assert.Equal("other", await second.ExecuteScalarAsync());
    }

    [Fact]
    public async Task DisposedCommand_KeepsItsText_AndCannotReachTheNextOne()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var first = connection.CreateCommand();
        first.CommandText = "SELECT 1";
        Assert.Equal(1, await first.ExecuteScalarAsync());
        await first.DisposeAsync();
        await using var second = connection.CreateCommand();
        second.CommandText = "SELECT 2";
        Assert.Equal("SELECT 1", first.CommandText);
        first.Parameters.AddWithValue(1);
        first.CommandText = "SELECT 3";
        await first.DisposeAsync();

        Assert.Empty(second.Parameters);
        Assert.Equal(2, await second.ExecuteScalarAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => first.ExecuteScalarAsync());
    }

    [Fact]
    public async Task CommandThatIsDisposedBeforeItsReader_DoesNotGoToTheNextOne()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var first = connection.CreateCommand();
        first.CommandText = "SELECT n FROM generate_series(1, 3) n";
        await using var reader = await first.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        await first.DisposeAsync();
        await using var second = connection.CreateCommand();
        second.CommandText = "SELECT 'other'";
        Assert.True(await reader.ReadAsync());
        Assert.Equal(2, reader.GetInt32(0));
        await reader.DisposeAsync();
        Assert.Equal("other", await second.ExecuteScalarAsync());
    }

    [Fact]
    public async Task CommandThatIsDisposedWhileItWaitsForItsTurn_DoesNotGoToTheNextOne()
    {
        var pool = CreatePool(configure: options => options.ConcurrentUse = ConcurrentUseMode.Serialize);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var slow = connection.AskAsync<int>("SELECT 1 FROM pg_sleep(0.2)");
        var first = connection.CreateCommand();
        first.CommandText = "SELECT 2";
        var queued = first.ExecuteScalarAsync();
        await first.DisposeAsync();
        await using var second = connection.CreateCommand();
        second.CommandText = "SELECT 3";
        await Assert.ThrowsAsync<ObjectDisposedException>(() => queued);
        Assert.Equal((1, 3), (await slow, (int)(await second.ExecuteScalarAsync())!));
    }

    [Fact]
    public async Task CommandAfterOneThatFailed_Runs()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await transaction.SaveAsync("before");
        await Assert.ThrowsAsync<PostgresException>(() => connection.AskAsync<int>("SELECT 1 / 0"));
        await transaction.RollbackAsync("before");
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connection.AskAsync<int>("SELECT 1", cancelled.Token));
        Assert.Equal(2, await connection.AskAsync<int>("SELECT 2"));
    }
}
