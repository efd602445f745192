using Dapper;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>Two flows of control on one context: the second is refused with both call sites, and the first goes on undisturbed.</summary>
public sealed class ContextConcurrencyTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const string Marker = "refused operation";

    public static TheoryData<string, bool> Seconds
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var name in new[] { "query", "raw SQL", "save", "update", "connection", "Dapper", "other context", "streaming" })
            {
                data.Add(name, true);
                data.Add(name, false);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Seconds))]
    public async Task SecondOperation_WhileAQueryRuns_IsRefused_AndNamesBothCallSites(string kind, bool asynchronous)
    {
        var name = $"concurrent {kind} {asynchronous}";
        await using var shop = database.CreateShop(name, pool: Capture);
        await shop.Database.OpenConnectionAsync();
        await using var held = await HoldAsync();
        var first = FirstAsync(shop);
        await Wait.ForStatementAsync(database, name, "pg_advisory");
        var granted = shop.Database.GetTransactionPool().GetSnapshot().LeasesGranted;

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => Second(shop, kind, asynchronous));

        AssertNamesBoth(error);
        Assert.Contains("pg_advisory", error.Running.CommandText, StringComparison.Ordinal);
        Assert.Equal(granted, shop.Database.GetTransactionPool().GetSnapshot().LeasesGranted);
        await held.DisposeAsync();
        Assert.Equal(7, await first);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task QueriesTogether_ByWhenAll_TheSecondIsRefused_AndTheFirstEnds(bool asynchronous)
    {
        var name = $"when all {asynchronous}";
        await using var shop = database.CreateShop(name, pool: Capture);
        await using var held = await HoldAsync();
        var first = asynchronous ? FirstAsync(shop) : Task.Factory.StartNew(() => FirstAsync(shop).GetAwaiter().GetResult(), TaskCreationOptions.LongRunning);
        if (!asynchronous)
        {
            await Wait.ForStatementAsync(database, name, "pg_advisory");
        }

        var both = Task.WhenAll(first, Second(shop, "query", asynchronous: true));
        await held.DisposeAsync();
        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => both);

        AssertNamesBoth(error);
        Assert.Equal(7, await first);
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task TaskStartedInsideAnOperation_WhichEfCoresDetectorLetsIn_IsRefusedByTheConnection()
    {
        var inside = new InsideInterceptor();
        await using var shop = database.CreateShop("inside", options => options.AddInterceptors(inside), Capture);
        Task? inner = null;
        inside.Act = () => inner = Task.Run(() => Second(shop, "raw SQL", asynchronous: true));

        Assert.Equal(7, await shop.Database.SqlQuery<int>($"SELECT 7 AS \"Value\"").SingleAsync());

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => inner!);
        Assert.Matches(@"IsRefusedByTheConnection in \w+\.cs:\d+", error.Running.CallSite);
        Assert.Matches(@"\.Second in \w+\.cs:\d+", error.Refused.CallSite);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task QueryInsideAStream_IsToldToBuffer(bool asynchronous)
    {
        await using var shop = database.CreateShop($"stream {asynchronous}", pool: Capture);
        var rows = 0;
        await foreach (var number in shop.Database.SqlQuery<int>($"SELECT generate_series(1, 3) AS \"Value\"").AsAsyncEnumerable())
        {
            var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => Second(shop, "query", asynchronous));
            Assert.Equal(ConcurrentUseKind.OpenReader, error.Kind);
            Assert.Contains("ToListAsync", error.Message, StringComparison.Ordinal);
            rows++;
        }

        foreach (var number in shop.Database.SqlQuery<int>($"SELECT generate_series(1, 3) AS \"Value\""))
        {
            Assert.Equal(ConcurrentUseKind.OpenReader, (await Assert.ThrowsAsync<ConcurrentUseException>(() => Second(shop, "query", asynchronous))).Kind);
            rows++;
        }

        Assert.Equal(6, rows);
    }

    [Fact]
    public async Task QueryInsideAStream_WithNestedCommands_Runs()
    {
        await using var shop = database.CreateShop("nested", pool: options => (options.MaxPoolSize, options.NestedCommands) = (2, NestedCommandMode.OwnServerConnection));
        var sum = 0;
        await foreach (var number in shop.Database.SqlQuery<int>($"SELECT generate_series(1, 3) AS \"Value\"").AsAsyncEnumerable())
        {
            sum += await shop.Database.SqlQuery<int>($"SELECT {number} * 10 AS \"Value\"").SingleAsync();
        }

        Assert.Equal(60, sum);
        PoolAssert.NothingLeased(shop);
    }

    [Fact]
    public async Task Commit_WhileAQueryRuns_IsRefused_AndTheTransactionCommitsLater()
    {
        const string Name = "commit";
        await using var shop = database.CreateShop(Name, pool: Capture);
        await using var transaction = await shop.Database.BeginTransactionAsync();
        await using var held = await HoldAsync();
        var first = FirstAsync(shop);
        await Wait.ForStatementAsync(database, Name, "pg_advisory");

        AssertNamesBoth(await Assert.ThrowsAsync<ConcurrentUseException>(() => Second(transaction)));

        await held.DisposeAsync();
        Assert.Equal(7, await first);
        await transaction.CommitAsync();

        static Task Second(IDbContextTransaction transaction) => transaction.CommitAsync();
    }

    [Fact]
    public async Task WithoutThreadSafetyChecks_TheConnectionIsStillWatched()
    {
        const string Name = "unchecked";
        await using var shop = database.CreateShop(Name, options => options.EnableThreadSafetyChecks(false), Capture);
        await shop.Database.OpenConnectionAsync();
        await using var held = await HoldAsync();
        var first = FirstAsync(shop);
        await Wait.ForStatementAsync(database, Name, "pg_advisory");

        AssertNamesBoth(await Assert.ThrowsAsync<ConcurrentUseException>(() => Second(shop, "query", asynchronous: true)));

        await held.DisposeAsync();
        Assert.Equal(7, await first);
    }

    [Fact]
    public async Task UnderAnInternalServiceProvider_TheGuardIsThereToo()
    {
        const string Name = "guard internal";
        await using var internals = new ServiceCollection().AddEntityFrameworkNpgsql().AddEntityFrameworkTransactionPooling().BuildServiceProvider();
        await using var shop = database.CreateShop(Name, options => options.UseInternalServiceProvider(internals), Capture);
        await using var held = await HoldAsync();
        var first = FirstAsync(shop);
        await Wait.ForStatementAsync(database, Name, "pg_advisory");

        var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => Second(shop, "query", asynchronous: true));

        Assert.Equal(OperationKind.ContextOperation, error.Refused.Kind);
        AssertNamesBoth(error);
        await held.DisposeAsync();
        Assert.Equal(7, await first);
    }

    [Fact]
    public async Task PooledContext_AfterARefusal_ServesItsNextOwner_AndTheConnectionOpensAgain()
    {
        var options = database.Options("pooled guard", pool: Capture);
        var factory = new Microsoft.EntityFrameworkCore.Infrastructure.PooledDbContextFactory<Shop>(options, poolSize: 1);
        for (var owner = 0; owner < 3; owner++)
        {
            await using var shop = await factory.CreateDbContextAsync();
            await using var held = await HoldAsync();
            var first = FirstAsync(shop);
            await Wait.ForStatementAsync(database, "pooled guard", "pg_advisory");
            await Assert.ThrowsAsync<ConcurrentUseException>(() => Second(shop, "query", asynchronous: true));
            await held.DisposeAsync();
            Assert.Equal(7, await first);
            Assert.Equal(1, await shop.Database.SqlQuery<int>($"SELECT 1 AS \"Value\"").SingleAsync());
        }
    }

    [Fact]
    public async Task TaggedQuery_IsNamedByItsTag_WithoutSampling()
    {
        await using var shop = database.CreateShop("tagged");
        shop.Add(new Customer { Name = "tagged" });
        await shop.SaveChangesAsync();
        await foreach (var customer in shop.Customers.TagWithCallSite().AsNoTracking().AsAsyncEnumerable())
        {
            var error = await Assert.ThrowsAsync<ConcurrentUseException>(() => shop.Orders.CountAsync());
            Assert.Matches(@"^ContextConcurrencyTests\.cs:\d+$", error.Running.CallSite);
        }
    }

    [Fact]
    public async Task DisposedContext_WhoseConnectionWasKept_SaysWhereItWasDisposed()
    {
        var shop = database.CreateShop("kept", pool: Capture);
        var connection = shop.Database.GetDbConnection();
        await DisposeIt(shop);

        var error = await Assert.ThrowsAsync<ObjectDisposedException>(() => connection.ExecuteAsync("SELECT 1"));

        Assert.Matches(@"DisposeIt in \w+\.cs:\d+.*used at .*SaysWhereItWasDisposed in \w+\.cs:\d+", error.Message);

        static async Task DisposeIt(Shop shop) => await shop.DisposeAsync();
    }

    private static void Capture(TransactionPoolingOptions options) => options.CallSiteSampling = CallSiteSampling.Always;

    private static void AssertNamesBoth(ConcurrentUseException error)
    {
        Assert.Matches(@"FirstAsync in \w+\.cs:\d+", error.Running.CallSite);
        Assert.Matches(@"Second[.\w]* in \w+\.cs:\d+", error.Refused.CallSite);
        Assert.Contains(error.Running.CallSite!, error.Message, StringComparison.Ordinal);
        Assert.Contains(error.Refused.CallSite!, error.Message, StringComparison.Ordinal);
    }

    private static async Task<int> FirstAsync(Shop shop)
        => await shop.Database.SqlQueryRaw<int>("SELECT 7 AS \"Value\" FROM pg_advisory_xact_lock(77)").SingleAsync();

    private static async Task Second(Shop shop, string kind, bool asynchronous)
    {
        var connection = shop.Database.GetDbConnection();
        switch (kind)
        {
            case "query":
                _ = asynchronous ? await shop.Customers.CountAsync() : shop.Customers.Count();
                break;
            case "raw SQL":
                _ = asynchronous ? await shop.Database.ExecuteSqlRawAsync($"SELECT '{Marker}'") : shop.Database.ExecuteSqlRaw($"SELECT '{Marker}'");
                break;
            case "save":
                shop.Add(new Customer { Name = Marker });
                _ = asynchronous ? await shop.SaveChangesAsync() : shop.SaveChanges();
                break;
            case "update":
                _ = asynchronous
                    ? await shop.Orders.ExecuteUpdateAsync(set => set.SetProperty(order => order.Total, 1))
                    : shop.Orders.ExecuteUpdate(set => set.SetProperty(order => order.Total, 1));
                break;
            case "connection":
                await using (var command = connection.CreateCommand())
                {
                    command.CommandText = $"SELECT '{Marker}'";
                    _ = asynchronous ? await command.ExecuteScalarAsync() : command.ExecuteScalar();
                }

                break;
            case "Dapper":
                _ = asynchronous ? await connection.QueryAsync<string>($"SELECT '{Marker}'") : connection.Query<string>($"SELECT '{Marker}'");
                break;
            case "other context":
                await using (var other = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(connection).UseTransactionPooling().Options))
                {
                    _ = asynchronous ? await other.Customers.CountAsync() : other.Customers.Count();
                }

                break;
            default:
                await foreach (var customer in shop.Customers.AsAsyncEnumerable())
                {
                }

                break;
        }
    }

    /// <summary>Holds <see cref="FirstAsync"/> up on the server until disposed.</summary>
    private async Task<NpgsqlConnection> HoldAsync()
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await connection.ExecuteAsync("SELECT pg_advisory_lock(77)");
        return connection;
    }

    /// <summary>Does something while the reader of a query is open, in the async context of that query.</summary>
    private sealed class InsideInterceptor : DbCommandInterceptor
    {
        public Func<Task>? Act { get; set; }

        public override async ValueTask<System.Data.Common.DbDataReader> ReaderExecutedAsync(
            System.Data.Common.DbCommand command, CommandExecutedEventData eventData, System.Data.Common.DbDataReader result, CancellationToken cancellationToken = default)
        {
            if (Act is { } act)
            {
                Act = null;
                await ((Task)act()).ContinueWith(_ => { }, TaskScheduler.Default);
            }

            return result;
        }
    }
}
