using System.ComponentModel.DataAnnotations;
using OrdersApi.Data;

namespace OrdersApi.Features;

/// <summary>An order to be.</summary>
/// <param name="CustomerId">Who orders.</param>
/// <param name="Lines">What is ordered; each product once.</param>
public sealed record NewOrder(int CustomerId, [MinLength(1), MaxLength(50)] IReadOnlyList<NewOrderLine> Lines) : IValidatableObject
{
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        => Lines
            .GroupBy(line => line?.ProductId) // JSON may say null where C# does not.
            .Where(group => group.Key is null || group.Count() > 1)
            .Select(group => new ValidationResult(
                group.Key is null ? "A line must not be null." : $"Product {group.Key} occurs more than once.", [nameof(Lines)]));

    public Order ToOrder(IReadOnlyDictionary<int, decimal> prices) => new()
    {
        CustomerId = CustomerId,
        Total = Lines.Sum(line => line.Quantity * prices[line.ProductId]),
        Lines = [.. Lines.Select(line => new OrderLine { ProductId = line.ProductId, Quantity = line.Quantity, UnitPrice = prices[line.ProductId] })],
    };
}

/// <summary>A product in an order to be.</summary>
/// <param name="ProductId">Number of the product.</param>
/// <param name="Quantity">How many pieces.</param>
public sealed record NewOrderLine(int ProductId, [Range(1, 1_000)] int Quantity);

/// <summary>An order in a list.</summary>
/// <param name="Id">Number of the order.</param>
/// <param name="CustomerId">Who ordered.</param>
/// <param name="CustomerName">Name of who ordered.</param>
/// <param name="Status">Whether it is paid.</param>
/// <param name="Total">Sum of the lines at the prices of the moment of the order.</param>
/// <param name="CreatedAt">When it was placed.</param>
/// <param name="PaidAt">When it was paid for the first time.</param>
public sealed record OrderItem(
    int Id, int CustomerId, string CustomerName, OrderStatus Status, decimal Total, DateTimeOffset CreatedAt, DateTimeOffset? PaidAt);

/// <summary>An order with its lines.</summary>
/// <param name="Id">Number of the order.</param>
/// <param name="CustomerId">Who ordered.</param>
/// <param name="CustomerName">Name of who ordered.</param>
/// <param name="Status">Whether it is paid.</param>
/// <param name="Total">Sum of the lines at the prices of the moment of the order.</param>
/// <param name="CreatedAt">When it was placed.</param>
/// <param name="PaidAt">When it was paid for the first time.</param>
/// <param name="Lines">What was ordered.</param>
public sealed record OrderDetails(
    int Id,
    int CustomerId,
    string CustomerName,
    OrderStatus Status,
    decimal Total,
    DateTimeOffset CreatedAt,
    DateTimeOffset? PaidAt,
    IReadOnlyList<OrderDetailsLine> Lines);

/// <summary>A product in an order.</summary>
/// <param name="ProductId">Number of the product.</param>
/// <param name="ProductName">Name in the shop.</param>
/// <param name="Quantity">How many pieces.</param>
/// <param name="UnitPrice">The price of one piece when the order was placed.</param>
public sealed record OrderDetailsLine(int ProductId, string ProductName, int Quantity, decimal UnitPrice);
