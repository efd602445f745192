using System.Globalization;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>
/// Many tasks at random on few server connections, some of which are killed: the money stays, every row that a task reads is its
/// own, every failure is one that its operation asked for or a killed connection, and the pool is whole afterwards.
/// </summary>
public sealed class StressTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const int Tasks = 16;
    private const int Operations = 200;
    private const int Accounts = 20;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync($"DROP TABLE IF EXISTS account; CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL); INSERT INTO account SELECT i, 1000 FROM generate_series(1, {Accounts}) i");
    }

    public static TheoryData<int> Seeds => [1, 20251121, Environment.TickCount];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task RandomOperations_KeepTheMoney_AndMixUpNothing(int seed)
    {
        var pool = CreatePool(maxPoolSize: 4, keywords: "Auto Prepare Min Usages=2", configure: options => options.ServerLoginRetry = TimeSpan.FromMilliseconds(50));
        using var finished = new CancellationTokenSource();
        var killing = KillAsync(pool, new Random(seed), finished.Token);
        var failures = await Task.WhenAll(Enumerable.Range(0, Tasks).Select(worker => Task.Run(() => WorkAsync(pool, worker, new Random(seed + worker)))));
        await finished.CancelAsync();
        var killed = await killing;

        Assert.True(failures.All(failure => failure is null), $"Seed {seed}: {string.Join("\n", failures.Where(failure => failure is not null))}");
        Assert.Equal(Accounts * 1000m, await AskPlainAsync<decimal>("SELECT sum(balance) FROM account"));
        pool.WaitForBatches();
        var snapshot = pool.GetSnapshot();
        Assert.True(snapshot is { InUse: 0, Waiting: 0 } && killed > 0, $"Seed {seed}: {killed} killed, {snapshot}");
    }

    private static async Task<string?> WorkAsync(TransactionPoolingDataSource pool, int worker, Random random)
    {
        for (var i = 0; i < Operations; i++)
        {
            var kind = random.Next(10);
            try
            {
                await using var connection = await pool.OpenConnectionAsync();
                await RunAsync(connection, kind, $"{worker}-{i}", random);
            }
            catch (Exception e) when (IsExpected(e, kind))
            {
                // This operation failed alone, as it must.
            }
            catch (Exception e)
            {
                return $"worker {worker}, operation {i} of kind {kind}: {e}";
            }
        }

        return null;
    }

    private static async Task RunAsync(LogicalConnection connection, int kind, string own, Random random)
    {
        switch (kind)
        {
            case 0:
                await TransferAsync(connection, random);
                break;
            case 1:
                Transfer(connection, random);
                break;
            case 2:
                await ReadOwnRowsAsync(connection, own, abandonAfter: int.MaxValue);
                break;
            case 3:
                await ReadOwnRowsAsync(connection, own, abandonAfter: random.Next(5));
                break;
            case 4:
                using (var cancellation = new CancellationTokenSource())
                {
                    cancellation.CancelAfter(random.Next(3));
                    await connection.RunAsync("SELECT pg_sleep(0.005)", cancellation.Token);
                }

                break;
            case 5:
                await connection.RunAsync("SELECT 1/0");
                break;
            case 6:
                Equal("0", await connection.AskAsync<string>("SELECT coalesce(nullif(current_setting('stress.own', true), ''), '0')"));
                await connection.RunAsync($"SET stress.own = '{own}'");
                break;
            case 7:
                await using (await connection.BeginTransactionAsync())
                {
                    await connection.RunAsync("UPDATE account SET balance = 0 WHERE id = 1");
                }

                break;
            case 8:
                await using (var batch = connection.CreateBatch())
                {
                    batch.BatchCommands.Add(new NpgsqlBatchCommand($"SELECT '{own}'"));
                    batch.BatchCommands.Add(new NpgsqlBatchCommand("SELECT $1") { Parameters = { new NpgsqlParameter<string> { TypedValue = own } } });
                    await using var reader = await batch.ExecuteReaderAsync();
                    do
                    {
                        Equal("True", (await reader.ReadAsync()).ToString());
                        Equal(own, reader.GetString(0));
                    }
                    while (await reader.NextResultAsync());
                }

                break;
            default:
                await using (var session = await connection.LeaseSessionAsync("stress"))
                {
                    await connection.RunAsync($"CREATE TEMP TABLE mine AS SELECT '{own}' AS own");
                    Equal(own, await session.Connection.AskAsync<string>("SELECT own FROM mine"));
                }

                break;
        }
    }

    private static async Task TransferAsync(LogicalConnection connection, Random random)
    {
        await using var transaction = await connection.BeginTransactionAsync();
        var (from, to) = Choose(random);
        await connection.RunAsync($"UPDATE account SET balance = balance - 1 WHERE id = {from}");
        await connection.RunAsync($"UPDATE account SET balance = balance + 1 WHERE id = {to}");
        if (random.Next(4) == 0)
        {
            throw new ChangedMindException();
        }

        await transaction.CommitAsync();
    }

    private static void Transfer(LogicalConnection connection, Random random)
    {
        using var transaction = connection.BeginTransaction();
        var (from, to) = Choose(random);
        connection.Run($"UPDATE account SET balance = balance - 1 WHERE id = {from}");
        connection.Run($"UPDATE account SET balance = balance + 1 WHERE id = {to}");
        transaction.Commit();
    }

    // In ascending order, so that transfers do not deadlock.
    private static (int From, int To) Choose(Random random)
    {
        var from = random.Next(1, Accounts);
        return (from, random.Next(from + 1, Accounts + 1));
    }

    private static async Task ReadOwnRowsAsync(LogicalConnection connection, string own, int abandonAfter)
    {
        await using var command = new LogicalCommand("SELECT $1, i FROM generate_series(1, 50) i", connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = own } } };
        await using var reader = await command.ExecuteReaderAsync();
        for (var row = 0; row < abandonAfter && await reader.ReadAsync(); row++)
        {
            Equal(own, reader.GetString(0));
            Equal((row + 1).ToString(CultureInfo.InvariantCulture), reader.GetInt32(1).ToString(CultureInfo.InvariantCulture));
        }
    }

    private static void Equal(string expected, string actual)
    {
        if (expected != actual)
        {
            throw new MixedUpException($"Expected {expected}, found {actual}.");
        }
    }

    private static bool IsExpected(Exception error, int kind) => error switch
    {
        ChangedMindException => true,
        OperationCanceledException => kind == 4,
        PostgresException { SqlState: PostgresErrorCodes.DivisionByZero } => kind == 5,
        PostgresException postgres => postgres.SqlState == PostgresErrorCodes.AdminShutdown,
        NpgsqlException { InnerException: IOException or null } => true, // killed
        CommitOutcomeUnknownException or TransactionBrokenException => true, // killed
        _ => false,
    };

    private async Task<int> KillAsync(TransactionPoolingDataSource pool, Random random, CancellationToken stop)
    {
        var killed = 0;
        while (!stop.IsCancellationRequested)
        {
            var backends = await BackendsOfAsync(pool);
            if (backends.Count > 0)
            {
                killed += await Server.TerminateBackendAsync(backends[random.Next(backends.Count)].ProcessId, CancellationToken.None) ? 1 : 0;
            }

            await Task.Delay(20, CancellationToken.None); // How often something dies is part of the scenario.
        }

        return killed;
    }

    private sealed class ChangedMindException : Exception;

    private sealed class MixedUpException(string message) : Exception(message);
}
