namespace BadSample;

public sealed class Efp0018(Shop db)
{
    public IAsyncEnumerable<Order> GetOrders() => db.Orders.AsAsyncEnumerable();
}
