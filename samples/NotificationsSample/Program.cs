using EfPooling.AdoNet;
using EfPooling.Dev;

await using var server = await DevPostgres.StartAsync(new DevPostgresOptions { DatabaseName = "bakery" }); // A throw-away.
await using var pool = TransactionPoolingDataSource.Create(server.ConnectionString);

await foreach (var notification in pool.SubscribeAsync("sales"))
{
    if (notification.IsGap)
    {
        Console.WriteLine("Listening. What is committed from now on is heard.");
        await SellAsync("wheat bread", commit: true);
        await SellAsync("burnt bread", commit: false);
        await SellAsync("rye bread", commit: true);
        continue;
    }

    Console.WriteLine($"Sold: {notification.Payload}.");
    if (notification.Payload == "rye bread")
    {
        break; // This ends the subscription.
    }
}

async Task SellAsync(string bread, bool commit)
{
    await using var connection = await pool.OpenConnectionAsync();
    await using var transaction = await connection.BeginTransactionAsync();
    await using var command = new LogicalCommand("SELECT pg_notify('sales', @bread)", connection); // Sent by the COMMIT, or never.
    command.Parameters.AddWithValue("bread", bread);
    await command.ExecuteNonQueryAsync();
    await (commit ? transaction.CommitAsync() : transaction.RollbackAsync());
}
