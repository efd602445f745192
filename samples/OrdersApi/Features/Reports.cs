using System.ComponentModel.DataAnnotations;
using System.Data.Common;
using Dapper;
using Microsoft.AspNetCore.Http.HttpResults;

namespace OrdersApi.Features;

/// <summary>A slow report, with Dapper.</summary>
internal static class Reports
{
    private const string ByProduct = """
        SELECT p.id AS ProductId, p.name AS Name, coalesce(sum(l.quantity), 0)::bigint AS Pieces, coalesce(sum(l.quantity * l.unit_price), 0) AS Revenue
        FROM products p LEFT JOIN order_lines l ON l.product_id = p.id
        GROUP BY p.id ORDER BY Revenue DESC, p.id
        """;

    private const string ByCustomer = """
        SELECT c.id AS CustomerId, c.name AS Name, count(o.id) AS Orders, coalesce(sum(o.total), 0) AS Total
        FROM customers c LEFT JOIN orders o ON o.customer_id = c.id
        GROUP BY c.id ORDER BY Total DESC, c.id
        """;

    public static void MapReports(this IEndpointRouteBuilder routes)
        => routes.MapGet("/reports/sales", SalesAsync).WithTags("Reports").WithName("GetSalesReport").ProducesValidationProblem()
            .WithSummary("Sales by product and by customer. Keeps its connection open while it pauses between two queries.");

    /// <remarks>
    /// The connection is open all the time, as in many real reports, exports and jobs. In an ordinary pool, ten reports at once leave
    /// no connection for other callers. Here an open connection that runs no command holds no server connection.
    /// </remarks>
    /// <param name="dataSource">The pool.</param>
    /// <param name="time">The clock for the pause.</param>
    /// <param name="cancellationToken">Cancels reading and pausing.</param>
    /// <param name="thinkMilliseconds">How long to pause between two queries.</param>
    private static async Task<Ok<SalesReport>> SalesAsync(
        DbDataSource dataSource, TimeProvider time, CancellationToken cancellationToken, [Range(0, 60_000)] int thinkMilliseconds = 2_000)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        var products = await connection.QueryAsync<ProductSales>(new CommandDefinition(ByProduct, cancellationToken: cancellationToken));
        await Task.Delay(TimeSpan.FromMilliseconds(thinkMilliseconds), time, cancellationToken);
        var customers = await connection.QueryAsync<CustomerSales>(new CommandDefinition(ByCustomer, cancellationToken: cancellationToken));
        return TypedResults.Ok(new SalesReport(thinkMilliseconds, products.AsList(), customers.AsList()));
    }
}

/// <summary>What was sold. The two lists are read one after the other, so orders in between are in the second list only.</summary>
/// <param name="ThinkMilliseconds">How long the report kept its connection open between two queries.</param>
/// <param name="Products">Sales by product, the most revenue first.</param>
/// <param name="Customers">Sales by customer, the best first.</param>
public sealed record SalesReport(int ThinkMilliseconds, IReadOnlyList<ProductSales> Products, IReadOnlyList<CustomerSales> Customers);

/// <summary>Sales of a product.</summary>
/// <param name="ProductId">Number of the product.</param>
/// <param name="Name">Name in the shop.</param>
/// <param name="Pieces">Pieces sold.</param>
/// <param name="Revenue">What they brought in.</param>
public sealed record ProductSales(int ProductId, string Name, long Pieces, decimal Revenue);

/// <summary>Sales to a customer.</summary>
/// <param name="CustomerId">Number of the customer.</param>
/// <param name="Name">Full name.</param>
/// <param name="Orders">Number of orders.</param>
/// <param name="Total">What they came to.</param>
public sealed record CustomerSales(int CustomerId, string Name, long Orders, decimal Total);
