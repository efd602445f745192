using EfPooling.Core;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

public sealed class BuilderTests(ServerFixture fixture) : PoolTest(fixture)
{
    public enum Mood
    {
        Happy,
        Sad,
    }

    public sealed record Point
    {
        public int X { get; init; }

        public int Y { get; init; }
    }

    [Fact]
    public async Task TypeMapping_WorksThroughLogicalConnections()
    {
        await PrepareDatabaseAsync("DROP TYPE IF EXISTS mood, point2; CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE TYPE point2 AS (x int, y int)");
        var pool = CreatePool(build: builder => builder
            .ConfigureNpgsql(npgsql => npgsql.MapEnum<Mood>("mood"))
            .ConfigureNpgsql(npgsql => npgsql.MapComposite<Point>("point2")));
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT $1, $2", connection);
        command.Parameters.AddWithValue(Mood.Sad);
        command.Parameters.AddWithValue(new Point { X = 1, Y = 2 });
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());

        Assert.Equal(Mood.Sad, reader.GetFieldValue<Mood>(0));
        Assert.Equal(new Point { X = 1, Y = 2 }, await reader.GetFieldValueAsync<Point>(1));
    }

    [Fact]
    public async Task PasswordProvider_IsAskedForEachServerConnection()
    {
        var password = new NpgsqlConnectionStringBuilder(ConnectionString).Password!;
        var asked = 0;
        var pool = CreateUnshuffledPool(keywords: "Password=", build: builder => builder.ConfigureNpgsql(npgsql => npgsql.UsePasswordProvider(
            _ =>
            {
                asked++;
                return password;
            },
            (_, _) => throw new NotSupportedException())));
        await using var connection = await pool.OpenConnectionAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        pool.Clear();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));

        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task Callback_ThatTurnsPoolingOn_IsOverruled()
    {
        var pool = CreateUnshuffledPool(build: builder => builder.ConfigureNpgsql(npgsql =>
        {
            npgsql.ConnectionStringBuilder.Pooling = true;
            npgsql.ConnectionStringBuilder.Enlist = true;
        }));
        await using var connection = await pool.OpenConnectionAsync();
        await connection.RunAsync("SELECT 1");

        pool.Clear();

        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
    }

    [Fact]
    public void Callback_ThatTurnsMultiplexingOn_IsRefused()
        => Assert.Throws<InvalidPoolOptionsException>(() => CreatePool(build: builder => builder.ConfigureNpgsql(npgsql => npgsql.ConnectionStringBuilder.Multiplexing = true)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ExistingDataSource_OpensTheServerConnections_AndRetirementClosesTheBackend(bool pooled)
    {
        await using var npgsql = NpgsqlDataSource.Create($"{ConnectionString};Pooling={pooled};Application Name=existing {pooled};Minimum Pool Size=2");
        var pool = Watch(new TransactionPoolingDataSourceBuilder(npgsql).ConfigureOptions(options => (options.MinPoolSize, options.Shuffle) = (0, false)).Build());
        await using var connection = await pool.OpenConnectionAsync();
        var backend = await connection.AskAsync<int>(Sql.BackendId);
        await connection.RunAsync("SET work_mem = '77MB'");
        Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
        await connection.CloseAsync();
        await connection.OpenAsync();
        Assert.NotEqual("77MB", await connection.AskAsync<string>("SHOW work_mem"));

        await using (await connection.LeaseSessionAsync("to be closed"))
        {
            await connection.RunAsync("DISCARD ALL");
        }

        await WaitForBackendsAsync(pool, backends => backends.All(one => one.ProcessId != backend));
        Assert.NotEqual(backend, await connection.AskAsync<int>(Sql.BackendId));

        Assert.Throws<NotSupportedException>(() => connection.ChangeDatabase("postgres"));
        await connection.DisposeAsync();
        await pool.DisposeAsync();
        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
        Assert.Equal(1, await AskAsync(npgsql));
        await npgsql.DisposeAsync();
    }

    [Fact]
    public async Task ExistingDataSource_ThatMultiplexes_IsRefused()
    {
        await using var npgsql = NpgsqlDataSource.Create($"{ConnectionString};Multiplexing=true");
        Assert.Throws<InvalidPoolOptionsException>(() => new TransactionPoolingDataSourceBuilder(npgsql).Build());
    }

    [Fact]
    public async Task ExistingDataSource_CannotBeConfiguredAnyMore()
    {
        await using var npgsql = NpgsqlDataSource.Create(ConnectionString);
        var builder = new TransactionPoolingDataSourceBuilder(npgsql);

        Assert.Throws<InvalidOperationException>(() => builder.ConfigureNpgsql(_ => { }));
        Assert.Throws<ArgumentNullException>(() => new TransactionPoolingDataSourceBuilder((NpgsqlDataSource)null!));
        Assert.Throws<ArgumentNullException>(() => builder.UseLoggerFactory(null!));
        Assert.Throws<ArgumentNullException>(() => builder.UseTimeProvider(null!));
    }

    [Fact]
    public async Task ExistingDataSource_TakesPartInAmbientTransactions()
    {
        await PrepareDatabaseAsync("CREATE TABLE IF NOT EXISTS taking_part (id int)");
        await using var npgsql = NpgsqlDataSource.Create($"{ConnectionString};Application Name=existing ambient");
        var pool = Watch(new TransactionPoolingDataSourceBuilder(npgsql).Build());
        using (new System.Transactions.TransactionScope(System.Transactions.TransactionScopeAsyncFlowOption.Enabled))
        {
            await using var connection = await pool.OpenConnectionAsync();
            await connection.RunAsync("INSERT INTO taking_part VALUES (1)");
        }

        Assert.Equal(0L, await AskPlainAsync<long>("SELECT count(*) FROM taking_part"));
        await pool.DisposeAsync();
    }

    [Fact]
    public async Task SeveralHosts_AreTriedUntilOneAnswers_AndItsBackendsAreReallyClosed()
    {
        var pool = CreateUnshuffledPool(keywords: $"Host=127.0.0.1:1,{Server.Host}:{Server.Port}");
        await using var connection = await pool.OpenConnectionAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));

        pool.Clear();

        await WaitForBackendsAsync(pool, backends => backends.Count == 0);
    }

    [Fact]
    public async Task TimeProvider_IsThePools()
    {
        var time = new OneHourLater();
        var pool = CreateUnshuffledPool(configure: options => options.ServerLifetime = TimeSpan.FromMinutes(1), build: builder => builder.UseTimeProvider(time));
        await using var connection = await pool.OpenConnectionAsync();
        var first = await connection.AskAsync<int>(Sql.BackendId);
        time.IsLater = true;
        await connection.RunAsync("SELECT 1");

        Assert.NotEqual(first, await connection.AskAsync<int>(Sql.BackendId));
    }

    private static async Task<int> AskAsync(NpgsqlDataSource source)
    {
        await using var connection = await source.OpenConnectionAsync();
        return await connection.AskAsync<int>("SELECT 1");
    }

    private sealed class OneHourLater : TimeProvider
    {
        public bool IsLater { get; set; }

        public override long GetTimestamp() => base.GetTimestamp() + (IsLater ? TimestampFrequency * 3600 : 0);
    }
}
