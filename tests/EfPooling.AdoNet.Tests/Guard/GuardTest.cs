namespace EfPooling.AdoNet.Tests;

/// <summary>What the tests of the guard share: a pool that knows every call site, an operation held up on the server, and what a refusal must say.</summary>
public abstract class GuardTest(ServerFixture fixture) : PoolTest(fixture)
{
    /// <summary>Answers 7 once the gate is open.</summary>
    protected const string Held = $"SELECT 7 FROM {Gate.Wait}";

    /// <summary>Marks what must not reach the server.</summary>
    protected const string Marker = "refused operation";

    internal CapturedLog Captured { get; } = new();

    protected TransactionPoolingDataSource CreateGuardedPool(int maxPoolSize = 5, CallSiteSampling sampling = CallSiteSampling.Always, Action<TransactionPoolingOptions>? configure = null, TimeProvider? time = null)
        => CreatePool(
            maxPoolSize,
            configure: options =>
            {
                options.CallSiteSampling = sampling;
                configure?.Invoke(options);
            },
            build: builder =>
            {
                builder.UseLoggerFactory(Captured);
                if (time is not null)
                {
                    builder.UseTimeProvider(time);
                }
            });

    /// <summary>The first operation; the gate holds it up.</summary>
    protected static Task<int> First(LogicalConnection connection, bool asynchronous)
    {
        var command = new LogicalCommand(Held, connection);
        return asynchronous ? FirstAsync() : Task.Factory.StartNew(FirstSync, TaskCreationOptions.LongRunning);

        int FirstSync() => (int)command.ExecuteScalar()!;

        async Task<int> FirstAsync() => (int)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Both lines are named, as data and in the message, with threads and remedy; and nothing of the second reached the server.</summary>
    internal void AssertTold(ConcurrentUseException error, string firstSite, string secondSite, ConcurrentUseKind kind = ConcurrentUseKind.ConcurrentOperation)
    {
        Assert.Equal(kind, error.Kind);
        Assert.Matches($@"{firstSite}[.\w]* in \w+\.cs:\d+", error.Running.CallSite);
        Assert.Matches($@"{secondSite}[.\w]* in \w+\.cs:\d+", error.Refused.CallSite);
        Assert.Contains(error.Running.CallSite!, error.Message, StringComparison.Ordinal);
        Assert.Contains(error.Refused.CallSite!, error.Message, StringComparison.Ordinal);
        Assert.Contains(kind == ConcurrentUseKind.OpenReader ? "Buffer first" : "await the first operation", error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Running.Duration);
        AssertNothingReachedTheServer();
    }

    internal void AssertNothingReachedTheServer() => Assert.DoesNotContain(Captured.Commands, text => text.Contains(Marker, StringComparison.Ordinal));
}
