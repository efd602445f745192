using System.Data;
using System.Data.Common;

namespace EfPooling.AdoNet.Tests;

/// <summary>Npgsql's reader object goes on to serve the server connection's next owner; what an earlier owner kept must not reach it.</summary>
public sealed class LateUseTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const string Secret = "SELECT 'secret', ARRAY[ROW(7, 'secret')], 'secret'::bytea FROM generate_series(1, 2)";

    public static TheoryData<string, Action<DbDataReader>> Uses => new()
    {
        { "Read", reader => reader.Read() },
        { "ReadAsync", reader => reader.ReadAsync().GetAwaiter().GetResult() },
        { "NextResult", reader => reader.NextResult() },
        { "NextResultAsync", reader => reader.NextResultAsync().GetAwaiter().GetResult() },
        { "GetString", reader => reader.GetString(0) },
        { "GetValue", reader => reader.GetValue(0) },
        { "indexer", reader => _ = reader[0] },
        { "IsDBNullAsync", reader => reader.IsDBNullAsync(0).GetAwaiter().GetResult() },
        { "FieldCount", reader => _ = reader.FieldCount },
        { "HasRows", reader => _ = reader.HasRows },
        { "GetSchemaTable", reader => reader.GetSchemaTable() },
        { "GetData", reader => reader.GetData(0) },
    };

    [Theory]
    [MemberData(nameof(Uses))]
    public async Task ClosedReader_RefusesEveryUse(string use, Action<DbDataReader> act)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var closed = await connection.ReadAsync("SELECT 1");
        await closed.DisposeAsync();
        await using var next = await connection.ReadAsync(Secret);
        Assert.True(await next.ReadAsync());

        Assert.Throws<InvalidOperationException>(() => act(closed));

        Assert.Equal("secret", next.GetString(0));
        Assert.True(await next.ReadAsync(), use);
    }

    [Fact]
    public async Task ClosedReader_ClosedAgain_LeavesTheNextOnesReaderOpen()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var closed = await connection.ReadAsync("SELECT 1");
        await closed.CloseAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using var next = await other.ReadAsync(Secret);

        closed.Close();
        closed.Dispose();
        await closed.CloseAsync();
        await closed.DisposeAsync();

        Assert.False(next.IsClosed);
        Assert.True(await next.ReadAsync());
        Assert.Equal(1, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task NestedReader_OfAClosedReader_NeverReadsTheNextOwnersRows()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var reader = await connection.ReadAsync("SELECT 'public', ARRAY[ROW(1, 'public')], 'public'::bytea FROM generate_series(1, 2)");
        await reader.ReadAsync();
        var nested = reader.GetData(1);
        await reader.DisposeAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using var next = await other.ReadAsync(Secret);
        await next.ReadAsync();

        Assert.Throws<InvalidOperationException>(() => nested.Read());
        Assert.Throws<InvalidOperationException>(() => nested.GetString(1));
        nested.Dispose();

        Assert.Equal("secret", next.GetString(0));
    }

    [Fact]
    public async Task NestedReader_ThatWasClosed_NeverReadsTheNextOwnersRows()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var reader = await connection.ReadAsync(Secret);
        await reader.ReadAsync();
        var nested = reader.GetData(1);
        nested.Dispose();
        await reader.DisposeAsync();
        await using var next = await connection.ReadAsync(Secret);
        await next.ReadAsync();
        using var nextNested = next.GetData(1);

        Assert.Throws<InvalidOperationException>(() => nested.Read());
        Assert.True(nextNested.Read());
        Assert.Throws<InvalidOperationException>(() => nested.GetString(1));
        nested.Dispose();

        Assert.Equal("secret", nextNested.GetString(1));
        Assert.False(nextNested.Read());
    }

    [Theory]
    [InlineData(CommandBehavior.Default)]
    [InlineData(CommandBehavior.SequentialAccess)]
    public async Task Streams_OfAClosedReader_NeverReadTheNextOwnersBytes(CommandBehavior behavior)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT 'public'::bytea", connection);
        await using var textCommand = new LogicalCommand("SELECT 'public'", connection);
        var reader = await command.ExecuteReaderAsync(behavior);
        await reader.ReadAsync();
        var stream = reader.GetStream(0);
        await reader.DisposeAsync();
        var textReader = await textCommand.ExecuteReaderAsync(behavior);
        await textReader.ReadAsync();
        var text = textReader.GetTextReader(0);
        await textReader.DisposeAsync();

        await using var next = await connection.ReadAsync(Secret);
        await next.ReadAsync();
        var bytes = new byte[20];
        var read = 0;
        Record.Exception(() => read = stream.Read(bytes));
        string? late = null;
        Record.Exception(() => late = text.ReadToEnd());
        Record.Exception(stream.Dispose);
        Record.Exception(text.Dispose);

        Assert.DoesNotContain("secret", System.Text.Encoding.UTF8.GetString(bytes, 0, read) + late, StringComparison.Ordinal);
        Assert.Equal("secret", next.GetString(0));
        Assert.True(await next.ReadAsync());
    }

    [Fact]
    public async Task CommandsAndTransactions_OfThePast_DoNotTouchTheNextOwner()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var command = connection.CreateCommand();
        command.CommandText = "SELECT 1";
        await command.ExecuteNonQueryAsync();
        var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("SELECT 1");
        await transaction.CommitAsync();
        await using var other = await pool.OpenConnectionAsync();
        await using var current = await other.BeginTransactionAsync();
        await other.RunAsync("SELECT 1");

        command.Cancel();
        command.Dispose();
        await Assert.ThrowsAsync<InvalidOperationException>(() => transaction.RollbackAsync());
        await transaction.DisposeAsync();

        Assert.Equal(2, await other.AskAsync<int>("SELECT 2"));
        await current.CommitAsync();
    }
}
