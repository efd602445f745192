using Dapper;

namespace EfPooling.AdoNet.Tests;

/// <summary>Two flows of control on one connection: the second is refused with both call sites, and the first goes on undisturbed.</summary>
public sealed class ConcurrentUseTests(ServerFixture fixture) : GuardTest(fixture)
{
    private const string Text = $"SELECT '{Marker}'";

    private static readonly Dictionary<string, Func<LogicalConnection, Task>> Seconds = new()
    {
        ["ExecuteNonQuery"] = connection => Sync(() => new LogicalCommand(Text, connection).ExecuteNonQuery()),
        ["ExecuteNonQueryAsync"] = connection => new LogicalCommand(Text, connection).ExecuteNonQueryAsync(),
        ["ExecuteScalar"] = connection => Sync(() => new LogicalCommand(Text, connection).ExecuteScalar()),
        ["ExecuteScalarAsync"] = connection => new LogicalCommand(Text, connection).ExecuteScalarAsync(),
        ["ExecuteReader"] = connection => Sync(() => new LogicalCommand(Text, connection).ExecuteReader()),
        ["ExecuteReaderAsync"] = connection => new LogicalCommand(Text, connection).ExecuteReaderAsync(),
        ["Prepare"] = connection => Sync(() => new LogicalCommand(Text, connection).Prepare()),
        ["PrepareAsync"] = connection => new LogicalCommand(Text, connection).PrepareAsync(),
        ["batch"] = connection => Sync(() => BatchOn(connection).ExecuteNonQuery()),
        ["batch, async"] = connection => BatchOn(connection).ExecuteReaderAsync(),
        ["Dapper"] = connection => Sync(() => connection.Query<string>(Text)),
        ["Dapper, async"] = connection => connection.QueryAsync<string>(Text),
        ["BeginTransaction"] = connection => Sync(() => connection.BeginTransaction()),
        ["BeginTransactionAsync"] = connection => connection.BeginTransactionAsync().AsTask(),
        ["GetSchema"] = connection => Sync(() => connection.GetSchema("Tables")),
        ["GetSchemaAsync"] = connection => connection.GetSchemaAsync("Tables"),
        ["LeaseSessionAsync"] = connection => connection.LeaseSessionAsync(Marker).AsTask(),
    };

    private static readonly Dictionary<string, Func<LogicalTransaction, Task>> TransactionSeconds = new()
    {
        ["Commit"] = transaction => Sync(transaction.Commit),
        ["CommitAsync"] = transaction => transaction.CommitAsync(),
        ["Rollback"] = transaction => Sync(transaction.Rollback),
        ["RollbackAsync"] = transaction => transaction.RollbackAsync(),
        ["Save"] = transaction => Sync(() => transaction.Save("s")),
        ["SaveAsync"] = transaction => transaction.SaveAsync("s"),
        ["command"] = transaction => Sync(() => new LogicalCommand(Text, transaction.Connection) { Transaction = transaction }.ExecuteScalar()),
        ["command, async"] = transaction => new LogicalCommand(Text, transaction.Connection) { Transaction = transaction }.ExecuteScalarAsync(),
    };

    public static TheoryData<string, bool> Uses => Cross(Seconds.Keys);

    public static TheoryData<string, bool> TransactionUses => Cross(TransactionSeconds.Keys);

    [Theory]
    [MemberData(nameof(Uses))]
    public async Task SecondOperation_OfAConnection_IsRefused_AndNamesBothCallSites(string second, bool asynchronous)
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var first = First(connection, asynchronous);
        await WaitForQueryAsync(pool, Gate.Wait);
        var granted = pool.GetSnapshot().LeasesGranted;

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => Seconds[second](connection));

        AssertTold(error, "GuardTest.First", @"ConcurrentUseTests\.");
        Assert.Equal((OperationKind.Scalar, Held), (error.Running.Kind, error.Running.CommandText));
        Assert.Equal(granted, pool.GetSnapshot().LeasesGranted);
        await gate.OpenAsync();
        Assert.Equal(7, await first);
    }

    [Theory]
    [MemberData(nameof(TransactionUses))]
    public async Task SecondOperation_OfATransaction_IsRefused_AndTheTransactionCommits(string second, bool asynchronous)
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var first = First(connection, asynchronous);
        await WaitForQueryAsync(pool, Gate.Wait);

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => TransactionSeconds[second](transaction));

        AssertTold(error, "GuardTest.First", @"ConcurrentUseTests\.");
        await gate.OpenAsync();
        Assert.Equal(7, await first);
        await transaction.CommitAsync();
        Assert.DoesNotContain(Captured.Commands, text => text.Contains("ROLLBACK", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TaskStartedInsideAnOperation_ThatInheritsItsAsyncContext_IsRefused(bool asynchronous)
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var flow = new AsyncLocal<string> { Value = "inherited" };
        var first = First(connection, asynchronous: true);
        await WaitForQueryAsync(pool, Gate.Wait);

        var inner = Task.Run(async () =>
        {
            Assert.Equal("inherited", flow.Value);
            await using var command = new LogicalCommand(Text, connection);
            return asynchronous ? await command.ExecuteScalarAsync() : command.ExecuteScalar();
        });
        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => inner);

        AssertTold(error, "GuardTest.First", nameof(TaskStartedInsideAnOperation_ThatInheritsItsAsyncContext_IsRefused));
        await gate.OpenAsync();
        Assert.Equal(7, await first);
    }

    [Fact]
    public async Task SecondOperation_BesideDapper_NamesDappersCaller()
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var first = DapperFirst();
        await WaitForQueryAsync(pool, Gate.Wait);

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => connection.ExecuteAsync(Text));

        AssertTold(error, @"\.DapperFirst", nameof(SecondOperation_BesideDapper_NamesDappersCaller));
        await gate.OpenAsync();
        Assert.Equal(7, await first);

        async Task<int> DapperFirst() => await connection.ExecuteScalarAsync<int>(Held);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TwoTasks_ReadingFromOneReader_TheSecondIsRefused(bool asynchronous)
    {
        var pool = CreateGuardedPool();
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        await using var reader = await OpenReader(connection);
        Assert.True(await reader.ReadAsync());
        var first = reader.ReadAsync(); // The end of the second row stays in the server's buffer of 8 KB until the gate opens.

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(async () => _ = asynchronous ? await reader.ReadAsync() : reader.Read());

        Assert.Equal(OperationKind.ReadRow, error.Refused.Kind);
        AssertTold(error, nameof(OpenReader), nameof(TwoTasks_ReadingFromOneReader_TheSecondIsRefused));
        await gate.OpenAsync();
        Assert.True(await first);
        Assert.True(await reader.ReadAsync());
        Assert.False(await reader.ReadAsync());
    }

    [Fact]
    public async Task Refusal_TellsTheTraceOfBoth_AndHowLongTheFirstHasBeenRunning()
    {
        var time = new Testing.ManualTimeProvider();
        var pool = CreateGuardedPool(time: time);
        await using var connection = await pool.OpenConnectionAsync();
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        using var one = new System.Diagnostics.Activity("one").SetIdFormat(System.Diagnostics.ActivityIdFormat.W3C).Start();
        var first = First(connection, asynchronous: true);
        one.Stop();
        using var two = new System.Diagnostics.Activity("two").SetIdFormat(System.Diagnostics.ActivityIdFormat.W3C).Start();
        await WaitForQueryAsync(pool, Gate.Wait);
        time.Advance(TimeSpan.FromSeconds(3));

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => new LogicalCommand(Text, connection).ExecuteScalarAsync());

        Assert.Equal(TimeSpan.FromSeconds(3), error.Running.Duration);
        Assert.Equal((one.TraceId.ToString(), one.SpanId.ToString()), (error.Running.TraceId, error.Running.SpanId));
        Assert.Equal((two.TraceId.ToString(), two.SpanId.ToString()), (error.Refused.TraceId, error.Refused.SpanId));
        Assert.Contains($"for 3 s, thread {error.Running.ManagedThreadId}", error.Message, StringComparison.Ordinal);
        await gate.OpenAsync();
        await first;
    }

    private static Task<System.Data.Common.DbDataReader> OpenReader(LogicalConnection connection)
        => new LogicalCommand($"SELECT repeat('x', 9000) FROM generate_series(1, 2) UNION ALL SELECT 'end' FROM {Gate.Wait}", connection).ExecuteReaderAsync();

    private static LogicalBatch BatchOn(LogicalConnection connection)
    {
        var batch = connection.CreateBatch();
        batch.BatchCommands.Add(new Npgsql.NpgsqlBatchCommand(Text));
        return batch;
    }

    private static Task Sync(Action act)
    {
        act();
        return Task.CompletedTask;
    }

    private static TheoryData<string, bool> Cross(IEnumerable<string> names)
    {
        var data = new TheoryData<string, bool>();
        foreach (var name in names)
        {
            data.Add(name, true);
            data.Add(name, false);
        }

        return data;
    }
}
