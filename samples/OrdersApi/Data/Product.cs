namespace OrdersApi.Data;

public sealed class Product
{
    public int Id { get; init; }

    public required string Sku { get; init; }

    public required string Name { get; set; }

    public decimal Price { get; set; }

    /// <summary>Pieces that can still be ordered. Never negative; changed by atomic updates only, see <see cref="Features.Stock"/>.</summary>
    public int Stock { get; init; }
}
