using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Objects that somebody had of a physical connection before the pool opened it.</summary>
public sealed class EarlierOwnerTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TransactionKeptByAnInitializer_IsDead(bool disposed)
    {
        NpgsqlTransaction? kept = null;
        var pool = CreatePool(maxPoolSize: 1, build: builder => builder.ConfigureNpgsql(npgsql => npgsql.UsePhysicalConnectionInitializer(
            connection =>
            {
                kept = connection.BeginTransaction();
                connection.Run("SELECT 1");
                kept.Commit();
                if (disposed)
                {
                    kept.Dispose();
                }
            },
            _ => Task.CompletedTask)));

        await VerifyDeadAsync(pool, () => kept!);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TransactionKeptOfALeasedSession_ThatWasClosedIntoThePoolOfItsDataSource_IsDead(bool disposed)
    {
        await using var source = NpgsqlDataSource.Create($"{ConnectionString};Application Name=earlier owner {disposed}");
        var pool = Watch(new TransactionPoolingDataSourceBuilder(source).ConfigureOptions(options => (options.MaxPoolSize, options.Shuffle) = (2, false)).Build());
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("closed by its holder"))
        {
            var backend = session.Connection.ProcessID;
            var kept = await session.Connection.BeginTransactionAsync();
            await session.Connection.RunAsync("SELECT 1");
            await kept.CommitAsync();
            await (disposed ? kept.DisposeAsync() : ValueTask.CompletedTask);
            await session.Connection.CloseAsync();

            await VerifyDeadAsync(pool, () => kept, backend);
        }

        await pool.DisposeAsync();
    }

    private static async Task VerifyDeadAsync(TransactionPoolingDataSource pool, Func<NpgsqlTransaction> kept, int? backend = null)
    {
        await using var next = await pool.OpenConnectionAsync();
        await using (var transaction = await next.BeginTransactionAsync())
        {
            await next.RunAsync("INSERT INTO item VALUES (1)");
            Assert.Equal(backend ?? await next.AskAsync<int>(Sql.BackendId), await next.AskAsync<int>(Sql.BackendId));
            await Assert.ThrowsAnyAsync<InvalidOperationException>(() => kept().CommitAsync());
            await Record.ExceptionAsync(async () => await kept().DisposeAsync());
            await next.RunAsync("INSERT INTO item VALUES (2)");
            await transaction.RollbackAsync();
        }

        Assert.Equal(0L, await next.AskAsync<long>("SELECT count(*) FROM item"));
    }
}
