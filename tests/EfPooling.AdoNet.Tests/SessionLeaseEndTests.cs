using EfPooling.Core;

namespace EfPooling.AdoNet.Tests;

public sealed class SessionLeaseEndTests(ServerFixture fixture) : PoolTest(fixture)
{
    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        await PrepareDatabaseAsync("DROP TABLE IF EXISTS item CASCADE; CREATE TABLE item (id int PRIMARY KEY)");
    }

    [Fact]
    public async Task Session_OfATransactionThatHasEnded_IsOver()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        var session = await connection.LeaseSessionAsync("in a transaction");
        await transaction.CommitAsync();

        Assert.Throws<LeaseEndedException>(() => session.Connection);
        session.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Session_AfterDispose_IsOver(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var session = await connection.LeaseSessionAsync("short");
        await session.EndAsync(asynchronous);
        await session.EndAsync(asynchronous);

        Assert.Throws<LeaseEndedException>(() => session.Connection);
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Session_WhoseConnectionWasClosed_IsOver_AndItsDisposeDoesNothing(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var session = await connection.LeaseSessionAsync("forgotten");
        await connection.CloseAsync();

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Throws<LeaseEndedException>(() => session.Connection);
        await session.EndAsync(asynchronous);
    }

    [Fact]
    public async Task Transaction_BegunInASession_OutlivesIt_OnTheSameServerConnection()
    {
        var pool = CreatePool(maxPoolSize: 2);
        await using var connection = await pool.OpenConnectionAsync();
        var session = await connection.LeaseSessionAsync("short");
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.RunAsync("INSERT INTO item VALUES (1)");
        var backend = await connection.AskAsync<int>(Sql.BackendId);

        await session.DisposeAsync();

        await using (var other = await pool.OpenConnectionAsync())
        {
            Assert.NotEqual(backend, await other.AskAsync<int>(Sql.BackendId));
        }

        Assert.Equal(backend, await connection.AskAsync<int>(Sql.BackendId));
        await transaction.CommitAsync();
        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(1L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Statement_RunningWhenTheSessionEnds_GoesOnToItsEnd()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var session = await connection.LeaseSessionAsync("short");
        await using var gate = await Gate.CloseAsync(await OpenPlainAsync());
        var running = connection.AskAsync<string>($"SELECT 'done' FROM {Gate.Wait}");
        await WaitForQueryAsync(pool, Gate.Wait);

        await session.DisposeAsync();

        Assert.Equal(1, pool.GetSnapshot().InUse);
        await gate.OpenAsync();
        Assert.Equal("done", await running);
        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task Session_LeftInTheMiddleOfACopy_IsClosed()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("COPY"))
        {
            _ = await session.Connection.BeginBinaryImportAsync("COPY item FROM STDIN (FORMAT BINARY)");
        }

        Assert.Equal(1, pool.GetSnapshot().Retired[RetireReason.ResetFailed]);
        Assert.Equal(0L, await connection.AskAsync<long>("SELECT count(*) FROM item"));
    }

    [Fact]
    public async Task Session_WhoseServerConnectionItsHolderClosed_IsReplaced()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var session = await connection.LeaseSessionAsync("closed by its holder"))
        {
            await session.Connection.CloseAsync();
        }

        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        Assert.Equal(2L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task ServerConnection_FoundDeadBeforeItIsUsed_IsReplaced()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.Shuffle = true); // Remembers its server connections.
        await using var connection = await pool.OpenConnectionAsync();
        for (var i = 0; i < 2; i++)
        {
            await connection.RunAsync("SELECT 1");
            await ((IConnectionHost)connection).LastServer!.Npgsql.CloseAsync();
            Assert.Equal(1, i == 0 ? await connection.AskAsync<int>("SELECT 1") : connection.Ask<int>("SELECT 1"));
        }

        Assert.Equal(2, pool.GetSnapshot().Retired[RetireReason.Broken]);
    }
}
