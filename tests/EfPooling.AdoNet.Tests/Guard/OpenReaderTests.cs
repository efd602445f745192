using Dapper;

namespace EfPooling.AdoNet.Tests;

/// <summary>A command that the same flow starts while its reader is open gets a message of its own.</summary>
public sealed class OpenReaderTests(ServerFixture fixture) : GuardTest(fixture)
{
    private const string Rows = "SELECT generate_series(1, 3)";
    private const string Text = $"SELECT '{Marker}'";

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Command_WhileAReaderIsOpen_IsToldToBuffer(bool openAsynchronously, bool asynchronous)
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand(Rows, connection);
        await using var reader = openAsynchronously ? await command.ExecuteReaderAsync() : command.ExecuteReader();
        Assert.True(await reader.ReadAsync());
        await using var second = new LogicalCommand(Text, connection);

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(async () => _ = asynchronous ? await second.ExecuteScalarAsync() : second.ExecuteScalar());

        const string Here = nameof(Command_WhileAReaderIsOpen_IsToldToBuffer);
        AssertTold(error, Here, Here, ConcurrentUseKind.OpenReader);
        Assert.True(await reader.ReadAsync());
        Assert.True(await reader.ReadAsync());
        Assert.False(await reader.ReadAsync());
    }

    [Fact]
    public async Task DapperUnbuffered_Synchronously_IsToldToBuffer()
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        var rows = 0;

        foreach (var row in connection.Query<int>(Rows, buffered: false))
        {
            var error = Assert.Throws<ConcurrentUseException>(() => connection.Query<string>(Text));
            AssertTold(error, nameof(DapperUnbuffered_Synchronously_IsToldToBuffer), nameof(DapperUnbuffered_Synchronously_IsToldToBuffer), ConcurrentUseKind.OpenReader);
            rows++;
        }

        Assert.Equal(3, rows);
    }

    [Fact]
    public async Task DapperUnbuffered_Asynchronously_IsToldToBuffer()
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        var rows = 0;

        await foreach (var row in connection.QueryUnbufferedAsync<int>(Rows))
        {
            var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.QueryAsync<string>(Text));
            AssertTold(error, nameof(DapperUnbuffered_Asynchronously_IsToldToBuffer), nameof(DapperUnbuffered_Asynchronously_IsToldToBuffer), ConcurrentUseKind.OpenReader);
            rows++;
        }

        Assert.Equal(3, rows);
    }

    [Fact]
    public async Task Command_OfAnotherFlowAndThread_WhileAReaderIsOpen_IsConcurrentUse()
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await new LogicalCommand(Rows, connection).ExecuteReaderAsync();
        ConcurrentUseException? error = null;
        var flow = new AsyncLocal<int>();
        var other = new Thread(() =>
        {
            flow.Value = 1;
            error = Assert.Throws<ConcurrentUseException>(() => new LogicalCommand(Text, connection).ExecuteScalar());
        });

        other.Start();
        other.Join();

        AssertTold(error!, nameof(Command_OfAnotherFlowAndThread_WhileAReaderIsOpen_IsConcurrentUse), nameof(Command_OfAnotherFlowAndThread_WhileAReaderIsOpen_IsConcurrentUse));
        Assert.True(await reader.ReadAsync());
    }
}
