using System.Data.Common;

namespace EfPooling.AdoNet.Tests;

/// <summary>Readers, commands and transactions of the pool that other threads go on using while the next owner, another tenant, works on the same server connection.</summary>
public sealed class LateUseByThreadsTests(ServerFixture fixture) : PoolTest(fixture)
{
    private static readonly AsyncLocal<string> Tenant = new();

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync(TenantTable.Create);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public async Task LateUseFromOtherThreads_ReachesNoOtherTenant(int seed, bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1, TenantTable.Keywords, options => options.SessionSetting("app.tenant_id", _ => Tenant.Value, required: true));
        var random = new Random(seed);
        for (var i = 0; i < 100; i++)
        {
            Tenant.Value = "2";
            var late = await UseAsync(pool, random, i);
            Tenant.Value = "1";
            await using var next = await pool.OpenConnectionAsync();
            var uses = late.Select(use => Task.Run(() => Record.Exception(use))).ToList();
            await using (var transaction = await next.BeginTransactionAsync())
            {
                Assert.Equal("1", await AskAsync(next, "SELECT string_agg(DISTINCT tenant, ',') FROM note", asynchronous));
                await next.RunAsync($"INSERT INTO note (id) VALUES ({i})");
                await transaction.CommitAsync();
            }

            Assert.Equal($"{i} 1", await AskAsync(next, $"SELECT id || ' ' || current_setting('app.tenant_id') FROM note WHERE id = {i}", asynchronous));
            await Task.WhenAll(uses);
        }

        Assert.Equal(100L, await AskPlainAsync<long>("SELECT count(*) FROM note WHERE id >= 0 AND tenant = '1'"));
        Assert.Equal("-2", await AskPlainAsync<string>("SELECT string_agg(id::text, ',') FROM note WHERE tenant <> '1'"));
    }

    // What tenant 2 leaves behind: closed properly, and used again.
    private static async Task<List<Action>> UseAsync(TransactionPoolingDataSource pool, Random random, int number)
    {
        var connection = await pool.OpenConnectionAsync();
        var command = connection.CreateCommand();
        command.CommandText = "SELECT tenant, 'bytes'::bytea FROM note, generate_series(1, 20)";
        var reader = (LogicalDataReader)await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        var stream = reader.GetStream(1);
        await Task.WhenAll(Task.Run(() => Record.Exception(reader.Dispose)), Task.Run(() => Record.Exception(reader.Dispose)), Task.Run(() => Record.Exception(command.Cancel)));
        LogicalTransaction? transaction = null;
        if (random.Next(2) == 0)
        {
            transaction = await connection.BeginTransactionAsync();
            await connection.RunAsync($"INSERT INTO note (id) VALUES ({-100 - number})");
            await Task.WhenAll(Task.Run(() => Record.Exception(transaction.Dispose)), Task.Run(() => Record.Exception(transaction.Rollback)));
        }

        await connection.DisposeAsync();
        return
        [
            () => reader.Read(),
            () => reader.GetString(0),
            () => stream.ReadByte(),
            stream.Dispose,
            command.Cancel,
            () => command.ExecuteScalar(),
            () => transaction?.Commit(),
            () => transaction?.Rollback(),
            () =>
            {
                reader.Dispose();
                transaction?.Dispose();
                command.Dispose();
                connection.Dispose();
            },
        ];
    }

    private static async Task<string> AskAsync(DbConnection connection, string sql, bool asynchronous)
        => asynchronous ? await connection.AskAsync<string>(sql) : connection.Ask<string>(sql);
}
