namespace OrdersApi.Data;

public sealed class OrderLine
{
    public int OrderId { get; init; }

    public int ProductId { get; init; }

    public Product? Product { get; init; }

    public int Quantity { get; init; }

    /// <summary>The price when the order was placed.</summary>
    public decimal UnitPrice { get; init; }
}
