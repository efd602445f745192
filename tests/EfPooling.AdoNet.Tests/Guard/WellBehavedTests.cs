using Dapper;

namespace EfPooling.AdoNet.Tests;

/// <summary>Whoever keeps to one operation at a time is never refused.</summary>
public sealed class WellBehavedTests(ServerFixture fixture) : GuardTest(fixture)
{
    [Theory]
    [InlineData(ConcurrentUseMode.Throw)]
    [InlineData(ConcurrentUseMode.Serialize)]
    public async Task TenThousandUsers_OfTheirOwnConnections_RaiseNoAlarm(ConcurrentUseMode mode)
    {
        var pool = CreateGuardedPool(maxPoolSize: 8, sampling: CallSiteSampling.Conflicts, configure: options => options.ConcurrentUse = mode);
        var left = 10_000;

        await Task.WhenAll(Enumerable.Range(0, 64).Select(task => Task.Run(() => WorkAsync(task))));

        Assert.DoesNotContain(Captured.Texts, text => text.Contains(nameof(ConcurrentUseException), StringComparison.Ordinal));

        async Task WorkAsync(int task)
        {
            var flow = new AsyncLocal<int>();
            await using var kept = await pool.OpenConnectionAsync();
            while (Interlocked.Decrement(ref left) is >= 0 and var user)
            {
                flow.Value = user;
                await using var own = await pool.OpenConnectionAsync();
                var connection = user % 2 == 0 ? own : kept;
                Assert.Equal(user, await UseAsync(connection, user));
            }
        }

        static async Task<int> UseAsync(LogicalConnection connection, int user)
        {
            switch (user % 5)
            {
                case 0:
                    return await connection.ExecuteScalarAsync<int>("SELECT @user", new { user });
                case 1:
                    await using (var transaction = await connection.BeginTransactionAsync())
                    {
                        await connection.ExecuteAsync("SELECT 1", transaction: transaction);
                        var answer = await connection.QuerySingleAsync<int>("SELECT @user", new { user }, transaction);
                        await transaction.CommitAsync();
                        return answer;
                    }

                case 2:
                    var last = 0;
                    await foreach (var number in connection.QueryUnbufferedAsync<int>("SELECT generate_series(@user - 3, @user)", new { user }))
                    {
                        last = number;
                        await Task.Yield();
                    }

                    return last;
                case 3:
                    return connection.Ask<int>($"SELECT {user}");
                default:
                    return await Task.Run(() => connection.AskAsync<int>($"SELECT {user}"));
            }
        }
    }
}
