using System.Diagnostics;

namespace EfPooling.AdoNet.Tests;

/// <summary>A server that stands still, and what read batches make of it: nobody waits behind anybody, and no server connection is lost.</summary>
public sealed class StandstillTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const int Callers = 10;
    private const string Prepared = "Max Auto Prepare=50;Auto Prepare Min Usages=1"; // A failure in a read batch that prepares costs its server connection.
    private readonly ManualTimeProvider _time = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ServerThatStandsStill_KeepsItsConnections_AlsoIfItIsAskedToStopMeanwhile(bool untilCancelled)
    {
        var log = new CapturedLog();
        var pool = CreateSharingPool(
            maxPoolSize: 1, keywords: Prepared, configure: options => options.QueryWaitTimeout = TimeSpan.Zero, // However far the clock runs ahead of a busy machine.
            build: builder => builder.UseTimeProvider(_time).UseLoggerFactory(log));
        await pool.GatherAsync(Callers, (connection, i) => connection.AskAsync<int>($"SELECT {i}"));
        var backend = Assert.Single(await BackendsOfAsync(pool)).ProcessId;

        var calls = pool.GatherAsync(Callers, (connection, i) => connection.AskAsync<int>($"SELECT {i}"), whileTheyWait: () =>
        {
            Signal(backend, "STOP");
            return Task.CompletedTask;
        });
        while (pool.GetMultiplexingStatistics().Requeued[RequeueReason.Stalled] < Callers || (untilCancelled && !log.Texts.Any(IsCancelRequest)))
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.Yield();
        }

        Signal(backend, "CONT");
        Assert.Equal(Enumerable.Range(1, Callers), await calls);
        await pool.WaitUntilUnusedAsync();
        Assert.Equal((1L, untilCancelled), (pool.GetSnapshot().Opened, log.Texts.Any(IsCancelRequest)));
    }

    [Fact]
    public async Task BatchedReadThatCancelsItsReading_CostsNoServerConnection()
    {
        var pool = CreateSharingPool(maxPoolSize: 1, keywords: Prepared, build: builder => builder.UseTimeProvider(_time));
        for (var round = 0; round < 2; round++)
        {
            await pool.GatherAsync(4, async (connection, i) =>
            {
                using var cancellation = new CancellationTokenSource();
                await using var command = connection.CreateCommand();
                command.CommandText = "SELECT n FROM generate_series(1, 1000000) AS n";
                await using var reader = await command.ExecuteReaderAsync(cancellation.Token);
                for (var n = 1; await reader.ReadAsync(cancellation.Token) && n < 10_000; n++)
                {
                    Assert.Equal(n, reader.GetInt32(0));
                }

                await cancellation.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
                {
                    while (await reader.ReadAsync(cancellation.Token))
                    {
                    }
                });
                return 0;
            });
            await pool.WaitUntilUnusedAsync();
        }

        Assert.InRange(pool.GetSnapshot().Opened, 1, 2); // The first read batch prepared.
    }

    private static bool IsCancelRequest(string text) => text.Contains("Sending PostgreSQL cancellation", StringComparison.Ordinal);

    private static void Signal(int processId, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{processId}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }
}
