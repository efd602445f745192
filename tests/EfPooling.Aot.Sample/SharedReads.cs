using EfPooling.AdoNet;

namespace EfPooling.Aot.Sample;

/// <summary>Reads with parameters whose server connection somebody else has: they share round trips.</summary>
internal static class SharedReads
{
    public static async Task<string> RunAsync(string connectionString)
    {
        await using var pool = TransactionPoolingDataSource.Create(connectionString, options => options.MaxPoolSize = 1);
        long sum = 0;
        do
        {
            var answers = await Task.WhenAll(Enumerable.Range(1, 100).Select(i => Task.Run(() => AskAsync(pool, i))));
            sum = answers.Sum();
        }
        while (pool.GetMultiplexingStatistics().Batches == 0); // Chance decides who meets whom.

        return $"{sum}";
    }

    private static async Task<long> AskAsync(TransactionPoolingDataSource pool, int number)
    {
        await using var connection = await pool.OpenConnectionAsync();
        await using var command = new LogicalCommand("SELECT @number * length(@text)::bigint + extract(second FROM @interval)::bigint", connection);
        command.Parameters.AddWithValue("number", number);
        command.Parameters.AddWithValue("text", "ab");
        command.Parameters.AddWithValue("interval", TimeSpan.FromSeconds(1));
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
