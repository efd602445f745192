using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Callbacks of the data source that have two forms, of which only one does its work, as Npgsql's manual recommends.</summary>
public sealed class AsynchronousCallbackTests(ServerFixture fixture) : PoolTest(fixture)
{
    public static TheoryData<Type> Refusals => [typeof(NotSupportedException), typeof(NotImplementedException), typeof(InvalidOperationException), typeof(ApplicationException)];

    private string Password => new NpgsqlConnectionStringBuilder(ConnectionString).Password!;

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task PasswordProvider_WhoseSynchronousFormThrows_IsAskedAsynchronously(Type refusal)
    {
        int refused = 0, asked = 0;
        var pool = CreatePool(maxPoolSize: 3, build: builder => builder.ConfigureNpgsql(npgsql =>
        {
            npgsql.ConnectionStringBuilder.Password = null;
            npgsql.UsePasswordProvider(
                _ => throw Create(refusal, ref refused),
                async (_, _) =>
                {
                    Interlocked.Increment(ref asked);
                    await Task.Yield();
                    return Password;
                });
        }));

        await UseAsync(pool, connections: 3);
        pool.Clear();
        Use(pool);

        Assert.InRange(refused, 1, 6); // Opens that begin at the same time learn it each for itself, with encryption and without.
        Assert.True(asked >= 4, $"asked {asked} times");
    }

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Initializer_WhoseSynchronousFormThrows_RunsAsynchronously(Type refusal)
    {
        var refused = 0;
        var pool = CreateUnshuffledPool(build: builder => builder.ConfigureNpgsql(npgsql => npgsql.UsePhysicalConnectionInitializer(
            _ => throw Create(refusal, ref refused),
            connection => connection.RunAsync("SET work_mem = '77MB'"))));

        await using var connection = await pool.OpenConnectionAsync();
        Assert.Equal("77MB", await connection.AskAsync<string>("SHOW work_mem"));
        Assert.Equal("77MB", connection.Ask<string>("SHOW work_mem"));
        Assert.Equal(1, refused);
    }

    [Fact]
    public async Task SynchronousForm_IsUsedWhereItWorks_SoThatOpensNeedNoThreadPool()
    {
        var pool = CreatePool(build: builder => builder.ConfigureNpgsql(npgsql =>
        {
            npgsql.ConnectionStringBuilder.Password = null;
            npgsql.UsePasswordProvider(_ => Password, (_, _) => throw new NotSupportedException("only synchronous"));
        }));

        await UseAsync(pool, connections: 1);
    }

    [Fact]
    public async Task FailureOfTheSynchronousForm_IsWhatCallersSee_IfThereIsNoOther()
    {
        var pool = CreatePool(build: builder => builder.ConfigureNpgsql(npgsql =>
        {
            npgsql.ConnectionStringBuilder.Password = null;
            npgsql.UsePasswordProvider(_ => throw new FormatException("the vault is closed"), (_, _) => throw new NotSupportedException("only synchronous"));
        }));

        await using var connection = pool.CreateConnection();
        var error = await Assert.ThrowsAsync<NpgsqlException>(() => connection.OpenAsync());
        Assert.Equal("the vault is closed", error.InnerException?.Message);
    }

    [Fact]
    public async Task PeriodicPasswordProvider_IsAsked()
    {
        var pool = CreatePool(build: builder => builder.ConfigureNpgsql(npgsql =>
        {
            npgsql.ConnectionStringBuilder.Password = null;
            npgsql.UsePeriodicPasswordProvider(async (_, _) =>
            {
                await Task.Yield();
                return Password;
            }, TimeSpan.FromHours(1), TimeSpan.FromSeconds(1));
        }));

        await UseAsync(pool, connections: 2);
    }

    private static async Task UseAsync(TransactionPoolingDataSource pool, int connections)
        => await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            await using var connection = await pool.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            Assert.Equal(1, await connection.AskAsync<int>("SELECT 1 FROM pg_sleep(0.1)"));
        }));

    private static void Use(TransactionPoolingDataSource pool)
    {
        using var connection = pool.OpenConnection();
        Assert.Equal(1, connection.Ask<int>("SELECT 1"));
    }

    private static Exception Create(Type type, ref int count)
    {
        Interlocked.Increment(ref count);
        return (Exception)Activator.CreateInstance(type, "only asynchronous")!;
    }
}
