namespace BadSample;

public static class Efp0002
{
    public static async Task<int> RunAsync(Shop db, CancellationToken ct)
    {
        var orders = db.Orders.CountAsync(ct);
        var lines = db.Lines.CountAsync(ct);
        return (await Task.WhenAll(orders, lines)).Sum();
    }
}
