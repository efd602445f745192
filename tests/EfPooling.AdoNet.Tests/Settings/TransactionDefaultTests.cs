namespace EfPooling.AdoNet.Tests;

/// <summary>Declared settings that are defaults of transactions must be there before the transaction that they are for begins.</summary>
public sealed class TransactionDefaultTests(ServerFixture fixture) : PoolTest(fixture)
{
    [Fact]
    public async Task DefaultOfTransactions_IsInForce_ForTheFirstStatementToo()
    {
        var isReadOnly = new AsyncLocal<bool>();
        var pool = CreateUnshuffledPool(maxPoolSize: 1, configure: options => options.SessionSetting("default_transaction_read_only", _ => isReadOnly.Value ? "on" : null));
        await using var connection = await pool.OpenConnectionAsync();
        foreach (var value in new[] { true, false, true, false })
        {
            isReadOnly.Value = value;
            Assert.Equal(value ? "on" : "off", await connection.AskAsync<string>("SELECT current_setting('transaction_read_only')"));
            Assert.Equal(value ? "on" : "off", connection.Ask<string>("SELECT current_setting('transaction_read_only')"));
            await using var transaction = await connection.BeginTransactionAsync();
            Assert.Equal(value ? "on" : "off", await connection.AskAsync<string>("SELECT current_setting('transaction_read_only')"));
        }
    }
}
