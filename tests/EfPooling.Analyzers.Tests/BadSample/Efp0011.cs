namespace BadSample;

public static class Efp0011
{
    public static async Task RunAsync(Shop db, CancellationToken ct)
    {
        await foreach (var order in db.Orders.AsAsyncEnumerable().WithCancellation(ct))
        {
            order.Name = "seen";
            await db.SaveChangesAsync(ct);
        }
    }
}
