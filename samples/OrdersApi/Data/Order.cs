namespace OrdersApi.Data;

public sealed class Order
{
    public int Id { get; init; }

    public int CustomerId { get; init; }

    public Customer? Customer { get; init; }

    public OrderStatus Status { get; set; }

    /// <summary>Sum of the lines at the prices of the moment of the order.</summary>
    public decimal Total { get; init; }

    /// <summary>Set by the database, whose clock is the same for all instances of the API.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? PaidAt { get; set; }

    public List<OrderLine> Lines { get; init; } = [];
}
