using System.Collections.Concurrent;
using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>The password is in no log, exception, snapshot or ToString.</summary>
public sealed class SecretTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task Logs_OfEverythingAContextAndAHostDo_DoNotContainThePassword()
    {
        var log = new CapturedLog();
        var connectionString = database.For("secret").Replace(database.Name, $"absent_{Guid.NewGuid():N}", StringComparison.Ordinal);
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        builder.Services.AddTransactionPooling(connectionString, options => options.MinPoolSize = 1);
        builder.Services.AddDbContext<Shop>(options => options.UseNpgsql(connectionString).UseTransactionPooling().EnableSensitiveDataLogging().EnableDetailedErrors());
        using (var host = builder.Build())
        {
            await host.StartAsync(); // The database does not exist yet: the failed warm-up is logged.
            await using var scope = host.Services.CreateAsyncScope();
            var shop = scope.ServiceProvider.GetRequiredService<Shop>();
            await shop.Database.EnsureCreatedAsync();
            shop.Add(new Customer { Name = "secret" });
            await shop.SaveChangesAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => shop.Database.ExecuteSqlRawAsync("SELECT nonsense"));
            await shop.Database.EnsureDeletedAsync();
            await host.StopAsync();
        }

        Assert.Contains(log.Lines, line => line.Contains("could not be warmed up", StringComparison.Ordinal));
        Assert.True(log.Lines.Count > 50);
        Assert.DoesNotContain(log.Lines, line => line.Contains(database.Password, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Exceptions_DoNotContainThePassword()
    {
        const string Wrong = "wrong-password-4711";
        var keywords = new NpgsqlConnectionStringBuilder(database.For("exceptions")) { Password = Wrong };
        await using var refused = Create(keywords.ConnectionString);
        await using var unknownKeyword = Create(keywords.ConnectionString + ";Nonsense=1");
        await using var contradiction = Create(keywords.ConnectionString + ";Multiplexing=true");
        await using var badOption = Create(keywords.ConnectionString, options => options.MaxPoolSize = -1);
        await using var malformed = Create("Host=localhost;Password='" + Wrong);
        foreach (var shop in new[] { refused, unknownKeyword, contradiction, badOption, malformed })
        {
            var error = await Assert.ThrowsAnyAsync<Exception>(() => shop.Customers.ToListAsync());
            Assert.DoesNotContain(Wrong, error.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ExhaustedPool_SaysWhoHoldsIt_WithoutThePassword()
    {
        await using var holder = database.CreateShop("exhausted", pool: options => options.QueryWaitTimeout = TimeSpan.FromSeconds(2));
        await using var transaction = await holder.Database.BeginTransactionAsync();
        await holder.GetBackendPidAsync();
        await using var waiter = database.CreateShop("exhausted", pool: options => options.QueryWaitTimeout = TimeSpan.FromSeconds(2));
        var error = await Assert.ThrowsAnyAsync<Exception>(() => waiter.Customers.ToListAsync());
        Assert.Contains("pg_backend_pid", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(database.Password, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task TextsOfObjects_DoNotContainThePassword()
    {
        await using var shop = database.CreateShop("texts");
        await shop.GetBackendPidAsync();
        var pool = shop.Database.GetTransactionPool();
        object[] objects =
        [
            pool, pool.ConnectionString, pool.Name, pool.GetSnapshot(), pool.GetOldestLeases(),
            shop.Database.GetDbConnection(), shop.Database.GetDbConnection().ConnectionString, shop.Database.GetDbConnection().DataSource,
            new TransactionPoolingOptions(), new TransactionPoolingDataSourceBuilder(database.ConnectionString),
            new PoolKey(database.ConnectionString, new ProviderConfiguration([], _ => { }), new TransactionPoolingOptions()), new ConnectionTarget(database.ConnectionString, null),
            ConnectionStringCache.Get(database.ConnectionString),
            shop.GetService<IDbContextOptions>().Extensions.Select(extension => extension.Info.LogFragment).Aggregate(string.Concat),
        ];
        Assert.All(objects, thing => Assert.DoesNotContain(database.Password, thing.ToString(), StringComparison.Ordinal));
    }

    private static Shop Create(string connectionString, Action<TransactionPoolingOptions>? pool = null)
        => new(new DbContextOptionsBuilder<Shop>().UseNpgsql(connectionString).UseTransactionPooling(pool).Options);

    private sealed class CapturedLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = state is IEnumerable<KeyValuePair<string, object?>> pairs ? string.Join(' ', pairs) : "";
            Lines.Enqueue($"{eventId} {formatter(state, exception)} {values} {exception}");
        }

        public void Dispose()
        {
        }
    }
}
