
namespace EfPooling.AdoNet.Tests;

/// <summary>
/// A hundred thousand batched reads of many callers on few server connections, with nearly every kind of trouble: nobody sees a row that is not its own,
/// nobody fails who did not ask for it, nobody hangs, and the pool is whole afterwards.
/// </summary>
public sealed class ReadBatchStressTests(ServerFixture fixture, ITestOutputHelper output) : PoolTest(fixture)
{
    private const int Callers = 64;
    private const int Servers = 3;
    private const int OperationsPerKill = 2_500;
    private const long BatchedReads = 100_000;

    [Fact]
    public async Task BatchedReadsInTrouble_HarmNobodyElse()
    {
        var seed = Seed.Choose(output);
        await PrepareDatabaseAsync($"DROP TABLE IF EXISTS stress_counter; CREATE TABLE stress_counter (id int PRIMARY KEY, n int NOT NULL); INSERT INTO stress_counter SELECT i, 0 FROM generate_series(0, {Callers - 1}) i");
        var tenant = new AsyncLocal<string>();
        var pool = CreateSharingPool(maxPoolSize: Servers, keywords: "Max Auto Prepare=20;Auto Prepare Min Usages=2", configure: options =>
        {
            options.ServerLoginRetry = TimeSpan.FromMilliseconds(50);
            options.SessionSetting("app.tenant_id", _ => tenant.Value);
        });
        using var nesting = new SemaphoreSlim(Servers - 1);
        var (isWrong, operations) = (0, 0);
        using var finished = new CancellationTokenSource();
        using var killsDue = new SemaphoreSlim(0);
        var killing = KillAsync(pool, new Random(seed), killsDue, finished.Token);
        var callers = Enumerable.Range(0, Callers).Select(i => new StressRead(pool, tenant, nesting, i, new Random(seed + i))).ToArray();
        var failures = await Task.WhenAll(callers.Select(caller => Task.Run(async () =>
        {
            var failure = await caller.RunAsync(() =>
            {
                if (Interlocked.Increment(ref operations) % OperationsPerKill == 0)
                {
                    killsDue.Release();
                }

                return Volatile.Read(ref isWrong) != 0 || pool.GetMultiplexingStatistics().BatchedReads >= BatchedReads;
            });
            if (failure is not null)
            {
                Volatile.Write(ref isWrong, 1);
            }

            return failure;
        })));
        await finished.CancelAsync();
        var killed = await killing;
        var batches = pool.GetMultiplexingStatistics();
        output.WriteLine($"{callers.Sum(caller => caller.Operations)} operations, {batches.Batches} batches, {batches.BatchedReads} reads, {killed} killed, {string.Join(", ", batches.Requeued)}, {batches.Suspended} suspended");

        Assert.True(failures.All(failure => failure is null), $"EFPOOLING_SEED={seed}: {string.Join("\n", failures.Where(failure => failure is not null))}");
        await pool.WaitUntilUnusedAsync();
        var counted = await AskPlainAsync<long>("SELECT sum(n) FROM stress_counter");
        Assert.InRange(counted, callers.Sum(caller => caller.Written), callers.Sum(caller => caller.Written + caller.InDoubt));
        Assert.True(killed > 0);
    }

    private async Task<int> KillAsync(TransactionPoolingDataSource pool, Random random, SemaphoreSlim due, CancellationToken stop)
    {
        var killed = 0;
        while (await IsDueAsync())
        {
            var backends = await BackendsOfAsync(pool);
            if (backends.Count > 0)
            {
                killed += await Server.TerminateBackendAsync(backends[random.Next(backends.Count)].ProcessId, CancellationToken.None) ? 1 : 0;
            }
        }

        return killed;

        async Task<bool> IsDueAsync()
        {
            try
            {
                await due.WaitAsync(stop);
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }
}
