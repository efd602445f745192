namespace EfPooling.AdoNet.Tests;

/// <summary>Modes Log and Off: a second command runs on a server connection of its own where it can.</summary>
public sealed class LogModeTests(ServerFixture fixture) : GuardTest(fixture)
{
    [Theory]
    [InlineData(ConcurrentUseMode.Log, true)]
    [InlineData(ConcurrentUseMode.Log, false)]
    [InlineData(ConcurrentUseMode.Off, true)]
    [InlineData(ConcurrentUseMode.Off, false)]
    public async Task SecondCommand_RunsOnAnotherServerConnection(ConcurrentUseMode mode, bool asynchronous)
    {
        var pool = CreateGuardedPool(configure: options => options.ConcurrentUse = mode);
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var first = First(connection, asynchronous);
        var backend = await WaitForQueryAsync(pool, Gate.Wait);

        var other = asynchronous ? await connection.AskAsync<int>(Sql.BackendId) : connection.Ask<int>(Sql.BackendId);

        Assert.NotEqual(backend, other);
        Assert.Equal(mode == ConcurrentUseMode.Log ? 1 : 0, Captured.Texts.Count(text => text.Contains("concurrent use", StringComparison.Ordinal)));
        await gate.OpenAsync();
        Assert.Equal(7, await first);
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task Warning_NamesBothCallSites()
    {
        var pool = CreateGuardedPool(configure: options => options.ConcurrentUse = ConcurrentUseMode.Log);
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await new LogicalCommand("SELECT 1", connection).ExecuteReaderAsync();

        await new LogicalCommand("SELECT 2", connection).ExecuteScalarAsync();

        var text = Assert.Single(Captured.Texts, text => text.Contains("concurrent use", StringComparison.Ordinal));
        Assert.Equal(2, text.Split($"LogModeTests.{nameof(Warning_NamesBothCallSites)} in LogModeTests.cs:").Length - 1);
    }

    [Fact]
    public async Task SecondCommand_InATransactionOrSession_Throws()
    {
        var pool = CreateGuardedPool(configure: options => options.ConcurrentUse = ConcurrentUseMode.Log);
        await using var connection = await pool.OpenConnectionAsync();
        await using (await connection.BeginTransactionAsync())
        await using (await connection.ReadAsync("SELECT 1"))
        {
            await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.RunAsync($"SELECT '{Marker}'"));
        }

        await using (await connection.LeaseSessionAsync("test"))
        await using (await connection.ReadAsync("SELECT 1"))
        {
            await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.RunAsync($"SELECT '{Marker}'"));
        }

        AssertNothingReachedTheServer();
    }

    [Fact]
    public async Task OneCommand_CannotRunTwiceAtATime_EvenThen()
    {
        var pool = CreateGuardedPool(configure: options => options.ConcurrentUse = ConcurrentUseMode.Log);
        await using var connection = await pool.OpenConnectionAsync();
        await using var first = await connection.ReadAsync("SELECT 1");
        await using var command = new LogicalCommand("SELECT 2", connection);
        var beside = await command.ExecuteReaderAsync();

        await Assert.ThrowsAsync<ConcurrentUseException>(() => command.ExecuteScalarAsync());
        await first.DisposeAsync();
        await Assert.ThrowsAsync<ConcurrentUseException>(() => command.ExecuteScalarAsync());
        await beside.DisposeAsync();

        Assert.Equal(2, await command.ExecuteScalarAsync());
    }

    [Fact]
    public async Task Close_ClosesTheReadersBesideTheFirst()
    {
        var pool = CreateGuardedPool(configure: options => options.ConcurrentUse = ConcurrentUseMode.Off);
        var connection = await pool.OpenConnectionAsync();
        var first = await connection.ReadAsync("SELECT generate_series(1, 9)");
        var second = await connection.ReadAsync("SELECT generate_series(1, 9)");
        Assert.Equal(2, pool.GetSnapshot().InUse);

        await connection.CloseAsync();

        Assert.True(first.IsClosed && second.IsClosed);
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }
}
