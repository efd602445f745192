using EfPooling.AdoNet;
using EfPooling.AdoNet.Tests;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Tests;

/// <summary>An execution strategy runs again what failed in passing. A write whose answer was lost is not run again, because the first one may stand.</summary>
public sealed class LostAnswerTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SaveChangesOfOneRow_IsNotWrittenAgain_WherePlainNpgsqlDoesSo(bool pooled)
    {
        var server = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        await using var relay = new Relay(server.Host!, server.Port);
        var name = $"lost answer {pooled}";
        var builder = new DbContextOptionsBuilder<Shop>()
            .UseNpgsql($"{database.For(name)};Host=127.0.0.1;Port={relay.Port}", npgsql => npgsql.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(10), null));
        await using var shop = new Shop((pooled ? builder.UseTransactionPooling(options => options.MaxPoolSize = 1) : builder).Options);
        Assert.Equal(0, await shop.Customers.CountAsync(customer => customer.Name == name));
        shop.Add(new Customer { Name = name });
        relay.LoseAnswers();
        var saving = shop.SaveChangesAsync();
        while (await database.ScalarAsync($"SELECT count(*) FROM \"Customers\" WHERE \"Name\" = '{name}'") is not 1L)
        {
        }

        relay.HangUp();
        var error = await Record.ExceptionAsync(() => saving);

        if (pooled)
        {
            Assert.IsType<CommitOutcomeUnknownException>(Assert.IsType<DbUpdateException>(error).InnerException);
        }
        else
        {
            // It was written a second time, which the unique name tells.
            Assert.Equal(PostgresErrorCodes.UniqueViolation, Assert.IsType<PostgresException>(Assert.IsType<DbUpdateException>(error).InnerException).SqlState);
        }

        Assert.Equal(1, await shop.Customers.CountAsync(customer => customer.Name == name));
    }
}
