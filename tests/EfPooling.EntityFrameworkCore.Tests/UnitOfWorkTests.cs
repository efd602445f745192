using System.Data.Common;
using System.Text;
using System.Text.RegularExpressions;
using EfPooling.AdoNet;
using EfPooling.Testing;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>What a typical unit of work sends and logs, and when it holds a server connection.</summary>
public sealed partial class UnitOfWorkTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task SqlOfAUnitOfWork_WithTheLeasesItTakes()
    {
        var journal = new Journal();
        await using (var shop = database.CreateShop("unit of work", builder => builder.AddInterceptors(journal)))
        {
            journal.Pool = shop.Database.GetTransactionPool();
            await shop.Database.OpenConnectionAsync();
            await using var transaction = await shop.Database.BeginTransactionAsync();
            journal.Note("transaction begun");
            var customer = new Customer { Name = "unit of work", Orders = [new Order { Total = 1 }] };
            shop.Add(customer);
            await shop.SaveChangesAsync();
            customer.Name = "unit of work, done";
            await shop.SaveChangesAsync();
            journal.Note("before commit");
            await transaction.CommitAsync();
            journal.Note("after commit");
            await shop.Orders.Where(order => order.CustomerId == customer.Id).OrderBy(order => order.Id).ToListAsync();
            journal.Note("after a query outside the transaction");
        }

        journal.Note("disposed");
        Snapshots.Verify(journal.Text);
    }

    [Fact]
    public async Task LogOfAUnitOfWork_OnDebug()
    {
        var log = new StringBuilder();
        using var loggers = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Debug).AddProvider(new TextLog(log)));
        await using var pool = new TransactionPoolingDataSourceBuilder(database.For("log")).ConfigureOptions(options => (options.Name, options.Shuffle) = ("shop", false)).UseLoggerFactory(loggers).Build();
        await using (var shop = new Shop(new DbContextOptionsBuilder<Shop>().UseNpgsql(pool).UseTransactionPooling().Options))
        {
            shop.Add(new Customer { Name = "log" });
            await shop.SaveChangesAsync();
            pool.Clear();
            await shop.Customers.CountAsync();
        }

        await pool.CloseAsync(TimeSpan.FromSeconds(10));
        Snapshots.Verify(log.ToString());
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    private sealed class Journal : DbCommandInterceptor
    {
        private readonly StringBuilder _text = new();

        public TransactionPoolingDataSource? Pool { get; set; }

        public string Text => _text.ToString();

        public void Note(string what) => _text.Append(Pool!.GetSnapshot().InUse).Append(" leased: ").Append(Space().Replace(what, " ").Trim()).Append('\n');

        public override ValueTask<DbDataReader> ReaderExecutedAsync(
            DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default)
        {
            Note(command.CommandText);
            return new(result);
        }
    }

    // Only our own messages, in the order in which they can only come.
    private sealed class TextLog(StringBuilder text) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName)
            => categoryName.StartsWith("EfPooling", StringComparison.Ordinal) ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (text)
            {
                text.Append(logLevel).Append(' ').Append(eventId.Id).Append(": ").Append(formatter(state, exception)).Append('\n');
            }
        }

        public void Dispose()
        {
        }
    }
}
