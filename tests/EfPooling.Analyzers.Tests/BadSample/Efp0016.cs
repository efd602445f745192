namespace BadSample;

public static class Efp0016
{
    public static async Task<int> RunAsync(string connectionString)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        return await connection.ExecuteAsync("DELETE FROM orders");
    }
}
