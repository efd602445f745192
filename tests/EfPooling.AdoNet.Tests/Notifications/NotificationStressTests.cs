using System.Globalization;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>
/// Counters in tables, each change of which is announced in its transaction, and readers who keep copies of them by the book: load at each gap, then
/// follow. Connections are killed, readers dawdle, come and go. No reader may ever miss a step.
/// </summary>
public sealed class NotificationStressTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const int Channels = 3;
    private const int Readers = 15;
    private const int Changes = 300;
    private const int Kills = 10;

    public static TheoryData<int> Seeds => [1, 20251122, Environment.TickCount];

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync(
            $"DROP TABLE IF EXISTS counter; CREATE TABLE counter (channel int PRIMARY KEY, value int NOT NULL); INSERT INTO counter SELECT i, 0 FROM generate_series(0, {Channels - 1}) i");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task ReadersWhoLoadAtGaps_AndFollow_NeverMissAStep(int seed)
    {
        var pool = CreatePool(configure: options =>
        {
            options.NotificationBacklog = 50;
            options.ServerLoginRetry = TimeSpan.FromMilliseconds(20);
        });
        using var calm = new CancellationTokenSource();
        using var finished = new CancellationTokenSource();
        var sending = Enumerable.Range(0, Channels).Select(channel => Task.Run(() => SendAsync(channel, new Random(seed + channel), finished.Token))).ToArray();
        var reading = Enumerable.Range(0, Readers).Select(i => Task.Run(() => FollowAsync(pool, i % Channels, new Random(seed + 100 + i), calm.Token))).ToArray();

        var killed = await KillAsync(pool, new Random(seed));
        await calm.CancelAsync();
        var failures = await Task.WhenAll(reading);
        await finished.CancelAsync();
        await Task.WhenAll(sending);

        Assert.True(killed > 0 && failures.All(failure => failure is null), $"Seed {seed}, {killed} killed: {string.Join("\n", failures.Where(failure => failure is not null))}");
    }

    // Goes on until every reader has seen what was sent in the calm.
    private async Task SendAsync(int channel, Random random, CancellationToken finished)
    {
        await using var sender = await OpenPlainAsync();
        while (!finished.IsCancellationRequested)
        {
            await sender.RunAsync($"WITH change AS (UPDATE counter SET value = value + 1 WHERE channel = {channel} RETURNING value) SELECT pg_notify('counter {channel}', value || repeat('.', {random.Next(2000)})) FROM change", CancellationToken.None);
        }
    }

    /// <returns>What went wrong.</returns>
    private async Task<string?> FollowAsync(TransactionPoolingDataSource pool, int channel, Random random, CancellationToken calm)
    {
        var seen = 0;
        while (true)
        {
            try
            {
                await using var stream = pool.SubscribeAsync($"counter {channel}", CancellationToken.None).GetAsyncEnumerator(CancellationToken.None);
                var copy = -1; // not loaded
                while (await stream.MoveNextAsync())
                {
                    if (stream.Current.IsGap)
                    {
                        copy = await LoadAsync(channel);
                    }
                    else if (copy < 0)
                    {
                        return $"Reader of channel {channel}: began with {stream.Current}.";
                    }
                    else if (int.Parse(stream.Current.Payload.AsSpan().TrimEnd('.'), CultureInfo.InvariantCulture) is var value && value > copy)
                    {
                        if (value != copy + 1)
                        {
                            return $"Reader of channel {channel}: {value} followed {copy}.";
                        }

                        copy = value;
                        if (calm.IsCancellationRequested && ++seen > Changes)
                        {
                            return null;
                        }
                    }

                    if (!calm.IsCancellationRequested && random.Next(300) == 0)
                    {
                        break; // Leaves, and comes again.
                    }

                    if (!calm.IsCancellationRequested && random.Next(300) == 0)
                    {
                        await LoadSlowlyAsync();
                    }
                }
            }
            catch (Exception e) when (e is NpgsqlException && !calm.IsCancellationRequested)
            {
                // It came when its LISTEN or the login was killed, and was told so.
            }
            catch (Exception e)
            {
                return $"Reader of channel {channel}: {e}";
            }
        }
    }

    private Task<int> LoadAsync(int channel) => AskPlainAsync<int>($"SELECT value FROM counter WHERE channel = {channel}");

    // Long enough to fall behind.
    private Task<int> LoadSlowlyAsync() => AskPlainAsync<int>("SELECT 1 FROM pg_sleep(0.1)");

    private async Task<int> KillAsync(TransactionPoolingDataSource pool, Random random)
    {
        var killed = 0;
        while (killed < Kills)
        {
            foreach (var backend in await BackendsOfAsync(pool))
            {
                killed += await Server.TerminateBackendAsync(backend.ProcessId) ? 1 : 0;
            }

            await AskPlainAsync<int>($"SELECT 1 FROM pg_sleep({random.Next(100)} / 1000.0)"); // How often something dies is part of the scenario.
        }

        return killed;
    }
}
