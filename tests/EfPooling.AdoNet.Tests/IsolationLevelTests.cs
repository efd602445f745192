using System.Data;

namespace EfPooling.AdoNet.Tests;

public sealed class IsolationLevelTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Theory]
    [InlineData(IsolationLevel.Unspecified, "read committed")]
    [InlineData(IsolationLevel.ReadUncommitted, "read uncommitted")]
    [InlineData(IsolationLevel.ReadCommitted, "read committed")]
    [InlineData(IsolationLevel.RepeatableRead, "repeatable read")]
    [InlineData(IsolationLevel.Snapshot, "repeatable read")]
    [InlineData(IsolationLevel.Serializable, "serializable")]
    public async Task Begin_SetsTheIsolationLevelOnTheServer(IsolationLevel level, string onServer)
    {
        var pool = CreatePool(maxPoolSize: 1);
        await using var connection = await pool.OpenConnectionAsync();

        await using (var transaction = await connection.BeginTransactionAsync(level))
        {
            Assert.Equal(level == IsolationLevel.Unspecified ? IsolationLevel.ReadCommitted : level, transaction.IsolationLevel);
            Assert.Equal(onServer, await connection.AskAsync<string>("SHOW transaction_isolation"));
        }

        using (connection.BeginTransaction(level))
        {
            Assert.Equal(onServer, connection.Ask<string>("SHOW transaction_isolation"));
        }

        Assert.Equal("read committed", await connection.AskAsync<string>("SHOW transaction_isolation"));
    }

    [Fact]
    public async Task Begin_WithChaos_IsRefused_AndTheConnectionGoesOn()
    {
        var pool = CreatePool();
        await using var connection = await pool.OpenConnectionAsync();

        Assert.Throws<NotSupportedException>(() => connection.BeginTransaction(IsolationLevel.Chaos));

        await using var transaction = await connection.BeginTransactionAsync();
        Assert.Equal(1, await connection.AskAsync<int>("SELECT 1"));
    }
}
