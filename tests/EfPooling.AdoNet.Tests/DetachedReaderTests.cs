using Npgsql;

namespace EfPooling.AdoNet.Tests;

/// <summary>A reader that was given away (to EF Core, which knows Npgsql's type only): the command ends the lease.</summary>
public sealed class DetachedReaderTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Detach_LeavesTheLeaseToTheCommand(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        var command = new LogicalCommand("SELECT generate_series(1, 2)", connection);
        var reader = (LogicalDataReader)await command.ExecuteReaderAsync();

        var inner = reader.Detach();
        Assert.Throws<InvalidOperationException>(reader.Detach);
        await reader.DisposeAsync();
        Assert.True(await inner.ReadAsync());
        await inner.DisposeAsync();
        Assert.Equal(1, pool.GetSnapshot().InUse);
        if (asynchronous)
        {
            await command.DisposeAsync();
        }
        else
        {
            command.Dispose();
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }

    [Fact]
    public async Task Detach_OfAReaderThatIsStillOpen_WhenTheCommandIsDisposed_ClosesTheServerConnection()
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();
        await using (var command = new LogicalCommand("SELECT generate_series(1, 2)", connection))
        {
            _ = ((LogicalDataReader)await command.ExecuteReaderAsync()).Detach();
        }

        Assert.Equal(0, pool.GetSnapshot().InUse);
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
        Assert.Equal(2L, pool.GetSnapshot().Opened);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task DetachedReader_ThatIsKept_DoesNothingToTheNextOwner(bool asynchronous)
    {
        var pool = CreatePool(maxPoolSize: 1);
        NpgsqlDataReader kept;
        await using (var connection = await pool.OpenConnectionAsync())
        {
            var command = new LogicalCommand("SELECT 'public'", connection);
            kept = ((LogicalDataReader)await command.ExecuteReaderAsync()).Detach();
            await kept.DisposeAsync();
            await command.DisposeAsync();
        }

        await using var other = await pool.OpenConnectionAsync();
        await using var next = await other.ReadAsync("SELECT 'secret' FROM generate_series(1, 2)");
        Assert.True(await next.ReadAsync());

        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => asynchronous ? kept.ReadAsync() : Task.FromResult(kept.Read()));
        Assert.ThrowsAny<InvalidOperationException>(() => kept.GetString(0));
        await (asynchronous ? kept.DisposeAsync() : ValueTask.CompletedTask);
        kept.Close();

        Assert.Equal("secret", next.GetString(0));
        Assert.True(await next.ReadAsync());
        Assert.Equal(1L, pool.GetSnapshot().Opened);
    }
}
