namespace EfPooling.AdoNet.Tests;

/// <summary>Mode Serialize: asynchronous callers of one connection wait for each other.</summary>
public sealed class SerializeTests(ServerFixture fixture) : GuardTest(fixture)
{
    [Fact]
    public async Task AsynchronousCallers_RunInOrderOfArrival()
    {
        var pool = CreateSerializing();
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var first = First(connection, asynchronous: true);
        await WaitForQueryAsync(pool, Gate.Wait);
        var later = Enumerable.Range(0, 20).Select(Later).ToList();

        await gate.OpenAsync();
        await Task.WhenAll(later);

        Assert.Equal(7, await first);
        Assert.Equal(Enumerable.Range(0, 20), Captured.Commands.Where(text => text.Contains("later ", StringComparison.Ordinal)).Select(text => int.Parse(text.Split("later ")[1].Split('\'')[0], System.Globalization.CultureInfo.InvariantCulture)));

        async Task Later(int number) => await new LogicalCommand($"SELECT 'later {number}'", connection).ExecuteScalarAsync();
    }

    [Fact]
    public async Task TransactionOfTwoTasks_RunsTheirCommandsOneAfterTheOther_AndCommitsLast()
    {
        var pool = CreateSerializing();
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        await using var transaction = await connection.BeginTransactionAsync();
        var first = First(connection, asynchronous: true);
        await WaitForQueryAsync(pool, Gate.Wait);
        var second = connection.AskAsync<int>("SELECT 2");
        var commit = transaction.CommitAsync();

        await gate.OpenAsync();

        Assert.Equal((7, 2), (await first, await second));
        await commit;
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task SynchronousCaller_Throws()
    {
        var pool = CreateSerializing();
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var first = First(connection, asynchronous: true);
        await WaitForQueryAsync(pool, Gate.Wait);

        Assert.Throws<ConcurrentUseException>(() => connection.Run("SELECT 1"));

        await gate.OpenAsync();
        await first;
    }

    [Fact]
    public async Task CancelledCaller_LosesItsPlace_AndTheNextOneRuns()
    {
        var pool = CreateSerializing();
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        using var cancellation = new CancellationTokenSource();
        var first = First(connection, asynchronous: true);
        await WaitForQueryAsync(pool, Gate.Wait);
        var cancelled = connection.RunAsync($"SELECT '{Marker}'", cancellation.Token);
        var next = connection.AskAsync<int>("SELECT 3");

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await gate.OpenAsync();

        Assert.Equal((7, 3), (await first, await next));
        AssertNothingReachedTheServer();
    }

    [Fact]
    public async Task Caller_WhoWaitsForLongerThanQueryWaitTimeout_IsToldWhoRuns()
    {
        var time = new ManualTimeProvider();
        var pool = CreateSerializing(time);
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var first = First(connection, asynchronous: true);
        await WaitForQueryAsync(pool, Gate.Wait);
        var waiting = new LogicalCommand($"SELECT '{Marker}'", connection).ExecuteScalarAsync();

        time.Advance(TimeSpan.FromSeconds(30));

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => waiting);
        Assert.Equal(TimeSpan.FromSeconds(30), error.Running.Duration);
        Assert.Matches($@"{nameof(Caller_WhoWaitsForLongerThanQueryWaitTimeout_IsToldWhoRuns)} in SerializeTests\.cs:\d+", error.Refused.CallSite);
        Assert.Contains("waited for its turn for 00:00:30", error.Message, StringComparison.Ordinal);
        await gate.OpenAsync();
        await first;
        AssertNothingReachedTheServer();
    }

    [Fact]
    public async Task CommandInsideItsOwnReader_ThrowsAtOnce_InsteadOfWaitingForItself()
    {
        var pool = CreateSerializing();
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync("SELECT generate_series(1, 2)");
        Assert.True(await reader.ReadAsync());

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.RunAsync("SELECT 1"));

        Assert.Equal(ConcurrentUseKind.OpenReader, error.Kind);
    }

    [Fact]
    public async Task Close_RefusesWhoeverStillWaits()
    {
        var pool = CreateSerializing();
        var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var first = First(connection, asynchronous: true);
        await WaitForQueryAsync(pool, Gate.Wait);
        var waiting = connection.RunAsync($"SELECT '{Marker}'");

        await connection.DisposeAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => waiting);
        await gate.OpenAsync();
        Assert.Equal(7, await first);
        AssertNothingReachedTheServer();
    }

    [Fact]
    public async Task ManyCallers_OfOneConnection_AllRun()
    {
        var pool = CreateSerializing();
        await using var connection = await pool.OpenConnectionAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 2_000).Select(number => Task.Run(() => connection.AskAsync<int>($"SELECT {number % 50}"))));

        Assert.Equal(Enumerable.Range(0, 2_000).Sum(number => number % 50), answers.Sum());
    }

    private TransactionPoolingDataSource CreateSerializing(TimeProvider? time = null)
        => CreateGuardedPool(sampling: CallSiteSampling.Conflicts, configure: options => options.ConcurrentUse = ConcurrentUseMode.Serialize, time: time);
}
