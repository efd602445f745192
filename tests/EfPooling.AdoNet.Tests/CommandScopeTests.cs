using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

public sealed class CommandScopeTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task Command_HoldsItsServerConnection_OnlyWhileItRuns()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var running = connection.AskAsync<string>($"SELECT 'done' FROM {Gate.Wait}");
        await WaitForQueryAsync(pool, Gate.Wait);

        var lease = Assert.Single(pool.GetOldestLeases());
        Assert.Equal((LeaseScope.Command, $"SELECT 'done' FROM {Gate.Wait}"), (lease.Scope, lease.Activity));

        await gate.OpenAsync();
        Assert.Equal("done", await running);
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public void Command_Synchronously_GivesItsServerConnectionBack()
    {
        var pool = CreateUnshuffledPool();
        using var connection = pool.OpenConnection();

        Assert.Equal(1, connection.Ask<int>("SELECT 1"));
        Assert.Equal(-1, connection.Run("SELECT 1"));

        var snapshot = pool.GetSnapshot();
        Assert.Equal((0, 1L), (snapshot.InUse, snapshot.Opened));
    }

    [Fact]
    public async Task Command_ThatFails_GivesItsServerConnectionBack()
    {
        var pool = CreateUnshuffledPool();
        await using var connection = await pool.OpenConnectionAsync();

        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => connection.RunAsync("SELECT 1/0"));
        Assert.Throws<Npgsql.PostgresException>(() => connection.Run("nonsense"));

        var snapshot = pool.GetSnapshot();
        Assert.Equal((0, 1, 1L), (snapshot.InUse, snapshot.Idle, snapshot.Opened));
    }

    [Fact]
    public async Task Reader_HoldsItsServerConnection_UntilItIsClosed()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();

        var reader = await connection.ReadAsync("SELECT generate_series(1, 3)");
        Assert.Equal(LeaseScope.Reader, Assert.Single(pool.GetOldestLeases()).Scope);
        while (await reader.ReadAsync())
        {
            Assert.Equal(1, pool.GetSnapshot().InUse);
        }

        Assert.Equal(1, pool.GetSnapshot().InUse);
        await reader.CloseAsync();
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public void Reader_Synchronously_HoldsItsServerConnection_UntilItIsDisposed()
    {
        var pool = CreatePool();
        using var connection = pool.OpenConnection();
        using var command = new LogicalCommand("SELECT 1", connection);

        using (var reader = command.ExecuteReader())
        {
            Assert.True(reader.Read());
            Assert.Equal(1, pool.GetSnapshot().InUse);
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task SecondOperation_WhileAReaderIsOpen_IsRefused_AndDisturbsNothing()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var reader = await connection.ReadAsync("SELECT generate_series(1, 2)");

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.RunAsync("SELECT 'second'"));

        Assert.Equal(("SELECT generate_series(1, 2)", "SELECT 'second'"), (error.Running.CommandText, error.Refused.CommandText));
        Assert.Contains("SELECT generate_series(1, 2)", error.Message, StringComparison.Ordinal);
        Assert.Throws<ConcurrentUseException>(() => connection.GetSchema());
        Assert.True(await reader.ReadAsync());
        Assert.True(await reader.ReadAsync());
    }

    [Fact]
    public async Task SecondOperation_FromAnotherTask_IsRefused_WithoutReachingTheServer()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var first = connection.RunAsync($"SELECT {Gate.Wait}");
        await WaitForQueryAsync(pool, Gate.Wait);
        var granted = pool.GetSnapshot().LeasesGranted;

        await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.RunAsync("SELECT 'second'"));

        Assert.Equal(granted, pool.GetSnapshot().LeasesGranted);
        await gate.OpenAsync();
        await first;
    }

    [Fact]
    public async Task Commands_OfManyConnections_ShareTwoServerConnections()
    {
        var pool = CreatePool(maxPoolSize: 2);

        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            await using var connection = await pool.OpenConnectionAsync();
            Assert.Equal(i, await connection.AskAsync<int>($"SELECT {i}"));
        }));

        Assert.Equal(2, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task Command_WhenThePoolIsExhausted_TimesOut_AndSaysWhoHoldsWhat()
    {
        var time = new ManualTimeProvider();
        var pool = CreatePool(maxPoolSize: 1, build: builder => builder.UseTimeProvider(time));
        await using var holder = await pool.OpenConnectionAsync();
        await using var reader = await holder.ReadAsync("SELECT 'the holder'");
        await using var other = await pool.OpenConnectionAsync();

        var error = await time.TimesOutAsync(() => other.RunAsync("SELECT 1"));
        Assert.Contains("SELECT 'the holder'", error.Message, StringComparison.Ordinal);
        await time.TimesOutAsync(() => Task.Run(() => other.Run("SELECT 1")));

        await reader.DisposeAsync();
        Assert.Equal(1, await other.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task Command_CancelledWhileItWaitsForAServerConnection_LosesItsPlaceOnly()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var holder = await pool.OpenConnectionAsync();
        await using var reader = await holder.ReadAsync("SELECT 1");
        await using var other = await pool.OpenConnectionAsync();
        using var cancellation = new CancellationTokenSource();

        var waiting = other.RunAsync("SELECT 1", cancellation.Token);
        Assert.Equal(1, pool.GetSnapshot().Waiting);
        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await reader.DisposeAsync();
        Assert.Equal(1, await other.AskAsync<int>("SELECT 1"));
    }
}
