namespace BadSample;

public static class Efp0010
{
    public static async Task RunAsync(Shop db, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        await db.SaveChangesAsync(ct);
    }
}
