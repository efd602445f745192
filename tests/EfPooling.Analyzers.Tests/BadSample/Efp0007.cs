namespace BadSample;

public static class Efp0007
{
    public static Task RunAsync(Shop db, int[] ids, CancellationToken ct)
        => Parallel.ForEachAsync(ids, ct, async (id, token) => await db.Orders.FindAsync([id], token));
}
