using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>Subscribing while the server cannot be reached.</summary>
public sealed class ListenerLoginTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task WrongPassword_IsReportedByTheFirstRead_AsTheServerSaysIt()
    {
        var pool = CreatePool(keywords: "Password=wrong");

        var error = await Assert.ThrowsAsync<PostgresException>(() => Subscriber.BeginAsync(pool, "orders"));

        Assert.Equal(PostgresErrorCodes.InvalidPassword, error.SqlState);
    }

    [Fact]
    public async Task ServerThatIsNotThere_IsReportedByTheFirstRead_AndAtOnceToWhoeverComesDuringThePause()
    {
        var time = new ManualTimeProvider();
        using var log = new CapturedLog();
        var pool = CreatePool(keywords: "Host=127.0.0.1;Port=1", build: builder => builder.UseTimeProvider(time).UseLoggerFactory(log));

        await Assert.ThrowsAsync<NpgsqlException>(() => Subscriber.BeginAsync(pool, "orders"));
        await Assert.ThrowsAsync<NpgsqlException>(() => Subscriber.BeginAsync(pool, "orders"));
        Assert.Equal(1, log.Count(1122));
        time.Advance(TimeSpan.FromMilliseconds(111));
        await Assert.ThrowsAsync<NpgsqlException>(() => Subscriber.BeginAsync(pool, "orders"));

        Assert.Equal(2, log.Count(1122));
    }

    [Fact]
    public async Task ServerThatIsNotThereForLong_IsTriedAgain_ForWhoeverComesASecondLater()
    {
        var time = new ManualTimeProvider();
        using var log = new CapturedLog();
        var pool = CreatePool(keywords: "Host=127.0.0.1;Port=1", build: builder => builder.UseTimeProvider(time).UseLoggerFactory(log));

        for (var attempt = 1; attempt <= 10; attempt++)
        {
            await Assert.ThrowsAsync<NpgsqlException>(() => Subscriber.BeginAsync(pool, "orders"));
            Assert.Equal(attempt, log.Count(1122));
            time.Advance(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public async Task PasswordProvider_IsAskedAtEveryLogin_AndSubscribingWorksOnceItIsRight()
    {
        var keywords = new NpgsqlConnectionStringBuilder(ConnectionString) { ApplicationName = "provided password" };
        var (current, right) = ("wrong", keywords.Password!);
        keywords.Remove("Password");
        var time = new ManualTimeProvider();
        var pool = Watch(new TransactionPoolingDataSourceBuilder(keywords.ConnectionString)
            .UseTimeProvider(time)
            .ConfigureNpgsql(npgsql => npgsql.UsePasswordProvider(_ => current, (_, _) => throw new NotSupportedException()))
            .Build());

        await Assert.ThrowsAsync<PostgresException>(() => Subscriber.BeginAsync(pool, "orders"));
        current = right;
        time.Advance(TimeSpan.FromSeconds(1));

        await using var subscriber = await Subscriber.BeginAsync(pool, "orders");
    }

    [Fact]
    public async Task Cancellation_WhileTheServerDoesNotAnswer_IsPrompt_AndSoIsClosing()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var pool = CreatePool(keywords: $"Host=127.0.0.1;Port={((IPEndPoint)silent.LocalEndpoint).Port}");
        using var cancellation = new CancellationTokenSource();
        var cancelled = Subscriber.BeginAsync(pool, "orders", cancellation.Token);
        var other = Subscriber.BeginAsync(pool, "orders");
        using var socket = await silent.AcceptSocketAsync(); // The login has begun, and will not end.

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(other.IsCompleted);
        Assert.True(await pool.CloseAsync(Patience));

        await Assert.ThrowsAsync<Core.PoolClosedException>(() => other);
    }
}
