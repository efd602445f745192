namespace EfPooling.AdoNet.Tests;

/// <summary>What was disposed says where, and where it is used now.</summary>
public sealed class UseAfterDisposeTests(ServerFixture fixture) : GuardTest(fixture)
{
    private const string Text = $"SELECT '{Marker}'";

    private static readonly Dictionary<string, Func<LogicalConnection, Task>> Uses = new()
    {
        ["Open"] = connection => Sync(connection.Open),
        ["OpenAsync"] = connection => connection.OpenAsync(),
        ["ExecuteScalar"] = connection => Sync(() => new LogicalCommand(Text, connection).ExecuteScalar()),
        ["ExecuteScalarAsync"] = connection => new LogicalCommand(Text, connection).ExecuteScalarAsync(),
        ["BeginTransaction"] = connection => Sync(() => connection.BeginTransaction()),
        ["BeginTransactionAsync"] = connection => connection.BeginTransactionAsync().AsTask(),
        ["GetSchemaAsync"] = connection => connection.GetSchemaAsync(),
        ["LeaseSessionAsync"] = connection => connection.LeaseSessionAsync(Marker).AsTask(),
        ["ChangeDatabase"] = connection => Sync(() => connection.ChangeDatabase("postgres")),
        ["ConnectionString"] = connection => Sync(() => connection.ConnectionString = ""),
    };

    public static TheoryData<string> Names => [.. Uses.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Connection_AfterDispose_RefusesEverything_AndNamesBothPlaces(string use)
    {
        var pool = CreateGuardedPool();
        foreach (var asynchronous in new[] { true, false })
        {
            var connection = await pool.OpenConnectionAsync();
            await DisposeIt(connection, asynchronous);
            await DisposeIt(connection, asynchronous);
            connection.Close();

            var error = await Assert.ThrowsAsync<ObjectDisposedException>(() => Uses[use](connection));

            AssertNamesBoth(error, "DisposeIt", "UseAfterDisposeTests");
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Command_AfterDispose_IsRefused(bool asynchronous)
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        var command = new LogicalCommand(Text, connection);
        var batch = connection.CreateBatch();
        await DisposeIt(command, asynchronous);
        await DisposeIt(batch, asynchronous);

        var error = await Assert.ThrowsAsync<ObjectDisposedException>(async () => _ = asynchronous ? await command.ExecuteScalarAsync() : command.ExecuteScalar());
        AssertNamesBoth(error, "DisposeIt", nameof(Command_AfterDispose_IsRefused));
        error = await Assert.ThrowsAsync<ObjectDisposedException>(async () => _ = asynchronous ? await batch.ExecuteScalarAsync() : batch.ExecuteScalar());
        AssertNamesBoth(error, "DisposeIt", nameof(Command_AfterDispose_IsRefused));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reader_AfterDispose_IsRefused(bool asynchronous)
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        var reader = await new LogicalCommand("SELECT 1", connection).ExecuteReaderAsync();
        await DisposeIt(reader, asynchronous);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () => _ = asynchronous ? await reader.ReadAsync() : reader.Read());

        AssertNamesBoth(error, "DisposeIt", nameof(Reader_AfterDispose_IsRefused));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Transaction_AfterDispose_IsRefused(bool asynchronous)
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await new LogicalCommand("SELECT 1", connection).ExecuteScalarAsync();
        await DisposeIt(transaction, asynchronous);

        foreach (var use in new Func<Task>[]
        {
            () => asynchronous ? transaction.CommitAsync() : Sync(() => transaction.Commit()),
            () => asynchronous ? transaction.RollbackAsync() : Sync(() => transaction.Rollback()),
            () => asynchronous ? transaction.SaveAsync("s") : Sync(() => transaction.Save("s")),
        })
        {
            AssertNamesBoth(await Assert.ThrowsAsync<ObjectDisposedException>(use), "DisposeIt", nameof(Transaction_AfterDispose_IsRefused));
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task Close_WhileACommandRuns_LetsItEnd_AndLaterUsesNameTheClose(bool asynchronous, bool dispose)
    {
        var pool = CreateGuardedPool(sampling: CallSiteSampling.Conflicts); // A trace is taken because something was running.
        var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var first = First(connection, asynchronous);
        await WaitForQueryAsync(pool, Gate.Wait);

        if (dispose)
        {
            await DisposeIt(connection, asynchronous);
        }
        else
        {
            await CloseIt(connection, asynchronous);
        }

        var error = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => new LogicalCommand(Text, connection).ExecuteScalarAsync());
        AssertNamesBoth(error, dispose ? "DisposeIt" : "CloseIt", nameof(Close_WhileACommandRuns_LetsItEnd_AndLaterUsesNameTheClose));
        Assert.Contains($"while Scalar '{Held}'", error.Message, StringComparison.Ordinal);
        await gate.OpenAsync();
        Assert.Equal(7, await first);
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task Connection_AfterDispose_WithoutCapturedStacks_NamesTheThreadAndThisPlace()
    {
        var pool = CreateGuardedPool(sampling: CallSiteSampling.Conflicts);
        var connection = await pool.OpenConnectionAsync();
        await connection.DisposeAsync();

        var error = Assert.Throws<ObjectDisposedException>(() => connection.Open());

        Assert.Matches(@"was disposed on thread \d+ [\d.]+ s ago .*CallSiteSampling.*and is used at UseAfterDisposeTests\.\w+ in UseAfterDisposeTests\.cs:\d+", error.Message);
    }

    private void AssertNamesBoth(InvalidOperationException error, string disposedAt, string usedAt)
    {
        Assert.Matches($@"{disposedAt} in \w+\.cs:\d+.*used at .*{usedAt}.* in \w+\.cs:\d+", error.Message);
        AssertNothingReachedTheServer();
    }

    private static async Task DisposeIt(object it, bool asynchronous)
    {
        if (asynchronous)
        {
            await ((IAsyncDisposable)it).DisposeAsync();
        }
        else
        {
            ((IDisposable)it).Dispose();
        }
    }

    private static async Task CloseIt(LogicalConnection connection, bool asynchronous)
    {
        if (asynchronous)
        {
            await connection.CloseAsync();
        }
        else
        {
            connection.Close();
        }
    }

    private static Task Sync(Action act)
    {
        act();
        return Task.CompletedTask;
    }
}
