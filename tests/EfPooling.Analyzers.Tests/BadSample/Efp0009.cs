namespace BadSample;

public static class Efp0009
{
    public static async Task RunAsync(Shop db, HttpClient http, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await http.GetStringAsync(new Uri("https://example.org"), ct);
        await transaction.CommitAsync(ct);
    }
}
