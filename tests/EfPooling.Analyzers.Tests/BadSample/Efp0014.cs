namespace BadSample;

public static class Efp0014
{
    public static async Task<int> RunAsync(Shop db, CancellationToken ct)
    {
        await db.Database.OpenConnectionAsync(ct);
        return await db.Orders.CountAsync(ct);
    }
}
