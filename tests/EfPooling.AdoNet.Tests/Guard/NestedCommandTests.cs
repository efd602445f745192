namespace EfPooling.AdoNet.Tests;

/// <summary>NestedCommands = OwnServerConnection: a command inside an open reader runs on a second server connection, and nobody waits for ever.</summary>
public sealed class NestedCommandTests(ServerFixture fixture) : GuardTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task NestedCommands_RunOnOtherServerConnections_ToAnyDepth(bool asynchronous)
    {
        var pool = CreateNesting(maxPoolSize: 3);
        await using var connection = await pool.OpenConnectionAsync();
        await using var outer = await connection.ReadAsync(Sql.BackendId);
        Assert.True(await outer.ReadAsync());
        await using var inner = await connection.ReadAsync(Sql.BackendId);
        Assert.True(await inner.ReadAsync());

        var innermost = asynchronous ? await connection.AskAsync<int>(Sql.BackendId) : connection.Ask<int>(Sql.BackendId);

        Assert.Equal(3, new[] { outer.GetInt32(0), inner.GetInt32(0), innermost }.Distinct().Count());
        Assert.Equal(2, pool.GetSnapshot().InUse);
        Assert.False(await outer.ReadAsync());
    }

    [Fact]
    public async Task NestedCommand_InATransaction_IsRefused()
    {
        var pool = CreateNesting(maxPoolSize: 3);
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var reader = await connection.ReadAsync("SELECT 1");

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.RunAsync($"SELECT '{Marker}'"));

        Assert.Equal(ConcurrentUseKind.OpenReader, error.Kind);
        AssertNothingReachedTheServer();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task NestedCommand_OnAPoolOfOne_IsRefusedAtOnce(bool asynchronous)
    {
        var pool = CreateNesting(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync("SELECT 1");

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(async () => _ = asynchronous ? await connection.AskAsync<int>("SELECT 2") : connection.Ask<int>("SELECT 2"));

        Assert.Equal(ConcurrentUseKind.OpenReader, error.Kind);
        Assert.Contains("All server connections of pool", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, pool.GetSnapshot().Waiting);
    }

    [Fact]
    public async Task NestedCommand_WaitsForSomebodyWhoWillGiveBack()
    {
        var pool = CreateNesting(maxPoolSize: 2);
        await using var connection = await pool.OpenConnectionAsync();
        await using var plain = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync("SELECT 1");
        var other = await plain.ReadAsync("SELECT 1");
        var nested = connection.AskAsync<int>("SELECT 2");
        Assert.Equal(1, pool.GetSnapshot().Waiting);

        await other.DisposeAsync();

        Assert.Equal(2, await nested);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task ManyNestedCallers_OnAFullPool_NeverWaitForEachOther(int maxPoolSize)
    {
        var pool = CreateNesting(maxPoolSize, options => options.QueryWaitTimeout = TimeSpan.Zero); // Whoever waits for ever fails the test.
        var (served, refused) = (0, 0);

        await Task.WhenAll(Enumerable.Range(0, 64).Select(caller => Task.Run(() => CallAsync(caller))));

        Assert.Equal(64 * 30, served + refused);
        Assert.True(maxPoolSize == 1 ? served == 0 : served > 0, $"{served} served, {refused} refused");

        async Task CallAsync(int caller)
        {
            await using var connection = await pool.OpenConnectionAsync();
            for (var round = 0; round < 30; round++)
            {
                await using var reader = await connection.ReadAsync("SELECT generate_series(1, 3)");
                Assert.True(await reader.ReadAsync());
                try
                {
                    Assert.Equal(caller, caller % 2 == 0 ? await connection.AskAsync<int>($"SELECT {caller}") : connection.Ask<int>($"SELECT {caller}"));
                    Interlocked.Increment(ref served);
                }
                catch (ConcurrentUseException e) when (e.Kind == ConcurrentUseKind.OpenReader)
                {
                    Interlocked.Increment(ref refused);
                }
            }
        }
    }

    [Fact]
    public async Task NestedCommand_InALeasedSession_IsRefused()
    {
        var pool = CreateNesting(maxPoolSize: 3);
        await using var connection = await pool.OpenConnectionAsync();
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
        var pool = CreateNesting(maxPoolSize: 5);
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
        var pool = CreateNesting(maxPoolSize: 5);
        var connection = await pool.OpenConnectionAsync();
        var first = await connection.ReadAsync("SELECT generate_series(1, 9)");
        var second = await connection.ReadAsync("SELECT generate_series(1, 9)");
        Assert.Equal(2, pool.GetSnapshot().InUse);

        await connection.CloseAsync();

        Assert.True(first.IsClosed && second.IsClosed);
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    private TransactionPoolingDataSource CreateNesting(int maxPoolSize, Action<TransactionPoolingOptions>? configure = null)
        => CreateGuardedPool(maxPoolSize, sampling: CallSiteSampling.Conflicts, configure: options =>
        {
            options.NestedCommands = NestedCommandMode.OwnServerConnection;
            configure?.Invoke(options);
        });
}
