namespace EfPooling.AdoNet.Tests;

public sealed class DisposalTests(ServerFixture fixture) : PoolTest(fixture)
{
    public static TheoryData<string> Orders =>
        ["command reader connection", "command connection reader", "reader command connection", "reader connection command", "connection command reader", "connection reader command"];

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task AnyOrder_GivesEverythingBack(string order)
    {
        var pool = CreatePool(maxPoolSize: 1);
        foreach (var inTransaction in new[] { false, true })
        {
            foreach (var asynchronous in new[] { false, true })
            {
                var connection = await pool.OpenConnectionAsync();
                if (inTransaction)
                {
                    await connection.BeginTransactionAsync();
                }

                var command = new LogicalCommand("SELECT generate_series(1, 1000)", connection);
                var reader = await command.ExecuteReaderAsync();
                Assert.True(await reader.ReadAsync());
                var all = new Dictionary<string, IAsyncDisposable> { ["command"] = command, ["reader"] = reader, ["connection"] = connection };
                foreach (var name in order.Split(' '))
                {
                    await DisposeTwiceAsync(all[name], asynchronous);
                }

                Assert.True(reader.IsClosed);
                Assert.Equal(0, pool.GetSnapshot().InUse);
            }
        }

        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task ReaderLeftToTheConnection_IsClosedWithIt()
    {
        var pool = CreatePool(maxPoolSize: 1);
        for (var i = 0; i < 10; i++)
        {
            await using var connection = await pool.OpenConnectionAsync();
            _ = await connection.ReadAsync("SELECT generate_series(1, 1000)");
        }

        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }

    [Fact]
    public async Task DisposedCommand_CanStillBeReadFrom()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();
        var command = new LogicalCommand("SELECT generate_series(1, 2)", connection);
        await using var reader = await command.ExecuteReaderAsync();

        await command.DisposeAsync();

        Assert.True(await reader.ReadAsync());
        Assert.True(await reader.ReadAsync());
    }

    private static async Task DisposeTwiceAsync(IAsyncDisposable it, bool asynchronous)
    {
        for (var i = 0; i < 2; i++)
        {
            if (asynchronous)
            {
                await it.DisposeAsync();
            }
            else
            {
                ((IDisposable)it).Dispose();
            }
        }
    }

    [Fact]
    public async Task Connection_DisposedWhileItOpens_TakesNothing()
    {
        var pool = CreatePool(maxPoolSize: 1, configure: options => options.PoolMode = PoolMode.Session);
        var first = await pool.OpenConnectionAsync();
        var second = pool.CreateConnection();
        var opening = second.OpenAsync();
        await second.DisposeAsync();
        await first.DisposeAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => opening);
        Assert.Equal(System.Data.ConnectionState.Closed, second.State);
        Assert.Equal(0, pool.GetSnapshot().InUse);
    }

    [Fact]
    public async Task Command_WaitingForAServerConnection_CannotMoveToAnotherConnection()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var holder = await pool.OpenConnectionAsync();
        var transaction = await holder.BeginTransactionAsync();
        await holder.RunAsync("SELECT 1");
        await using var one = await pool.OpenConnectionAsync();
        await using var two = await pool.OpenConnectionAsync();
        await using var command = one.CreateCommand();
        command.CommandText = "SELECT 1";
        var running = command.ExecuteScalarAsync();

        Assert.Throws<InvalidOperationException>(() => command.Connection = two);
        await transaction.DisposeAsync();
        Assert.Equal(1, await running);
        command.Connection = two;
        Assert.Equal(1, await command.ExecuteScalarAsync());
    }
}
