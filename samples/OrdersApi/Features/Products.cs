using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrdersApi.Data;
using OrdersApi.Http;

namespace OrdersApi.Features;

/// <summary>Products and their stock, with EF Core.</summary>
internal static class Products
{
    public static void MapProducts(this IEndpointRouteBuilder routes)
    {
        var products = routes.MapGroup("/products").WithTags("Products");
        products.MapGet("/", ListAsync).WithName("ListProducts").WithSummary("Products by number, page by page.").ProducesValidationProblem();
        products.MapGet("/{id:int}", GetAsync).WithName("GetProduct").WithSummary("One product.").ProducesProblem(StatusCodes.Status404NotFound);
        products.MapPost("/{id:int}/stock", DeliverAsync).WithName("DeliverStock").WithSummary("Adds a delivery to the stock of a product.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<Paged<ProductItem>>> ListAsync([AsParameters] PageQuery page, OrdersDb db, CancellationToken cancellationToken)
        => TypedResults.Ok(await Items(db.Products.OrderBy(product => product.Id)).ToPageAsync(page, cancellationToken));

    private static async Task<Results<Ok<ProductItem>, ProblemHttpResult>> GetAsync(int id, OrdersDb db, CancellationToken cancellationToken)
        => await FindAsync(db, id, cancellationToken) is { } product ? TypedResults.Ok(product) : Problems.NotFound("product", id);

    private static async Task<Results<Ok<ProductItem>, ProblemHttpResult>> DeliverAsync(
        int id, Delivery delivery, OrdersDb db, ILogger logger, CancellationToken cancellationToken)
    {
        var updated = await db.Products.Where(product => product.Id == id).ExecuteUpdateAsync(
            update => update.SetProperty(product => product.Stock, product => product.Stock + delivery.Quantity), cancellationToken);
        if (updated == 0)
        {
            return Problems.NotFound("product", id);
        }

        Log.StockDelivered(logger, id, delivery.Quantity);
        return TypedResults.Ok(await FindAsync(db, id, cancellationToken));
    }

    private static Task<ProductItem?> FindAsync(OrdersDb db, int id, CancellationToken cancellationToken)
        => Items(db.Products.Where(product => product.Id == id)).SingleOrDefaultAsync(cancellationToken);

    private static IQueryable<ProductItem> Items(IQueryable<Product> products)
        => products.Select(product => new ProductItem(product.Id, product.Sku, product.Name, product.Price, product.Stock));
}

/// <summary>A product.</summary>
/// <param name="Id">Number of the product.</param>
/// <param name="Sku">Name in the warehouse.</param>
/// <param name="Name">Name in the shop.</param>
/// <param name="Price">Price of one piece at this moment.</param>
/// <param name="Stock">Pieces that can still be ordered.</param>
public sealed record ProductItem(int Id, string Sku, string Name, decimal Price, int Stock);

/// <summary>Goods that arrive.</summary>
/// <param name="Quantity">How many pieces.</param>
public sealed record Delivery([Range(1, 10_000)] int Quantity);
