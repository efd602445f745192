using EfPooling.Core.Tests.Harness;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Synchronous callers of a cold pool while every thread of the thread pool is blocked. Plain Npgsql needs none for them, and neither do we.</summary>
[Collection(nameof(StarvedThreadPoolTests))]
public sealed class StarvedThreadPoolTests(ServerFixture fixture) : PoolTest(fixture)
{
    private const int Callers = 8;

    [Fact]
    public Task PlainNpgsql() => BlockedThreadPool.Run(() =>
    {
        using var connection = new NpgsqlConnection($"{ConnectionString};Pooling=false;Application Name=plain"); // Several at a time do need one.
        connection.Open();
        Assert.Equal(1, connection.Ask<int>("SELECT 1"));
    });

    [Theory]
    [InlineData("")]
    [InlineData("Keepalive=60")] // Nothing can be prepended then.
    public async Task Reads(string keywords)
        => await Run(CreatePool(maxPoolSize: 2, keywords: keywords), connection => Assert.Equal(1, connection.Ask<int>("SELECT 1")));

    [Fact]
    public async Task Reads_InSessionMode()
        => await Run(CreatePool(maxPoolSize: 2, configure: options => options.PoolMode = PoolMode.Session), connection => Assert.Equal(1, connection.Ask<int>("SELECT 1")));

    [Fact]
    public async Task Reads_WithACheckBeforeEach()
        => await Run(CreatePool(maxPoolSize: 2, configure: options => options.ServerCheckDelay = TimeSpan.Zero), connection => Assert.Equal(1, connection.Ask<int>("SELECT 1")));

    [Theory]
    [InlineData("")]
    [InlineData("Keepalive=60")]
    public async Task StatementsThatNeedAReset(string keywords)
        => await Run(CreatePool(maxPoolSize: 2, keywords: keywords), connection => connection.Run("DO $$ BEGIN PERFORM set_config('my.own', '1', false); END $$"));

    [Theory]
    [InlineData("")]
    [InlineData("Keepalive=60")]
    public async Task StatementsThatAreAlwaysReset(string keywords)
        => await Run(CreatePool(maxPoolSize: 2, keywords: keywords, configure: options => options.ResetPolicy = ResetPolicy.Always), connection => connection.Run("SELECT 1"));

    [Theory]
    [InlineData("")]
    [InlineData("Keepalive=60")]
    public async Task SettingsThatFollow(string keywords)
        => await Run(CreatePool(maxPoolSize: 2, keywords: keywords), connection =>
        {
            connection.Run("SET work_mem = '5MB'");
            Assert.Equal("5MB", connection.Ask<string>("SELECT current_setting('work_mem')"));
        });

    [Fact]
    public async Task Transactions()
        => await Run(CreatePool(maxPoolSize: 2), connection =>
        {
            using (var committed = connection.BeginTransaction())
            {
                connection.Run("SELECT 1");
                committed.Commit();
            }

            using var rolledBack = connection.BeginTransaction();
            connection.Run("SELECT 1");
        });

    [Fact]
    public async Task ChangesOfTheSchema()
        => await Run(CreatePool(maxPoolSize: 2), connection =>
        {
            var name = $"starved_{Environment.CurrentManagedThreadId}";
            connection.Run($"CREATE TABLE {name} (id int)");
            Assert.Equal(0L, connection.Ask<long>($"SELECT count(*) FROM {name}"));
            connection.Run($"DROP TABLE {name}");
        });

    [Fact]
    public async Task CommandsThatTimeOut()
        => await Run(CreatePool(maxPoolSize: 2), connection =>
        {
            using var command = connection.CreateCommand();
            (command.CommandText, command.CommandTimeout) = ("SELECT pg_sleep(60)", 1);
            Assert.ThrowsAny<NpgsqlException>(() => command.ExecuteNonQuery());
        });

    private static Task Run(TransactionPoolingDataSource pool, Action<LogicalConnection> use) => BlockedThreadPool.Run(() => RunTogether(() =>
    {
        using var connection = pool.OpenConnection();
        use(connection);
    }));

    private static void RunTogether(Action call)
    {
        var errors = new List<Exception?>();
        var threads = Enumerable.Range(0, Callers).Select(_ => new Thread(() =>
        {
            var error = Record.Exception(call);
            lock (errors)
            {
                errors.Add(error);
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.All(errors, Assert.Null);
    }
}

/// <summary>Alone in the process: it takes the thread pool away from everybody.</summary>
[CollectionDefinition(nameof(StarvedThreadPoolTests), DisableParallelization = true)]
public sealed class StarvedThreadPoolSetting : ICollectionFixture<ServerFixture>;
