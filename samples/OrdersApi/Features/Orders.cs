using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using OrdersApi.Data;
using OrdersApi.Http;

namespace OrdersApi.Features;

/// <summary>Orders, with EF Core; taking the stock is Dapper in the same transaction.</summary>
internal static class Orders
{
    public static void MapOrders(this IEndpointRouteBuilder routes)
    {
        var orders = routes.MapGroup("/orders").WithTags("Orders");
        orders.MapGet("/", ListAsync).WithName("ListOrders").WithSummary("Orders, the newest first, page by page.").ProducesValidationProblem();
        orders.MapGet("/{id:int}", GetAsync).WithName("GetOrder").WithSummary("One order with its lines.").ProducesProblem(StatusCodes.Status404NotFound);
        orders.MapPost("/", CreateAsync).WithName("CreateOrder").WithSummary("Places an order and takes its products out of stock: all of them or none.")
            .ProducesProblem(StatusCodes.Status409Conflict);
        orders.MapPost("/{id:int}/pay", PayAsync).WithName("PayOrder").WithSummary("Pays an order. Paying again changes nothing.")
            .ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<Paged<OrderItem>>> ListAsync(
        [AsParameters] PageQuery page, OrdersDb db, int? customerId, OrderStatus? status, CancellationToken cancellationToken)
    {
        var orders = db.Orders
            .Where(order => (customerId == null || order.CustomerId == customerId) && (status == null || order.Status == status))
            .OrderByDescending(order => order.Id)
            .Select(order => new OrderItem(order.Id, order.CustomerId, order.Customer!.Name, order.Status, order.Total, order.CreatedAt, order.PaidAt));
        return TypedResults.Ok(await orders.ToPageAsync(page, cancellationToken));
    }

    private static async Task<Results<Ok<OrderDetails>, ProblemHttpResult>> GetAsync(int id, OrdersDb db, CancellationToken cancellationToken)
        => await FindAsync(db, id, cancellationToken) is { } order ? TypedResults.Ok(order) : Problems.NotFound("order", id);

    private static async Task<Results<CreatedAtRoute<OrderDetails>, ValidationProblem, ProblemHttpResult>> CreateAsync(
        NewOrder request, OrdersDb db, ILogger logger, CancellationToken cancellationToken)
    {
        if (!await db.Customers.AnyAsync(customer => customer.Id == request.CustomerId, cancellationToken))
        {
            return Problems.Invalid("customerId", $"There is no customer {request.CustomerId}.");
        }

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var taken = await Stock.TakeAsync(transaction.GetDbTransaction(), request.Lines, cancellationToken);
        if (taken.Unknown.Count > 0)
        {
            return Problems.Invalid("lines", [.. taken.Unknown.Select(id => $"There is no product {id}.")]);
        }

        if (taken.Shortages.Count > 0)
        {
            Log.OutOfStock(logger, request.CustomerId, string.Join(", ", taken.Shortages.Select(shortage => shortage.ProductId)));
            return Problems.Conflict(
                "out-of-stock", "Out of stock", "There is not enough in stock of some products. Nothing was ordered.", ("shortages", taken.Shortages));
        }

        var order = request.ToOrder(taken.Prices);
        db.Orders.Add(order);
        await db.SaveChangesAsync(cancellationToken);
        await db.AnnounceAsync(order.Id, order.Status, cancellationToken);
        // Not cancellable any more: the client must learn whether there is an order.
        await transaction.CommitAsync(CancellationToken.None);
        Log.OrderCreated(logger, order.Id, order.CustomerId, order.Lines.Count, order.Total);
        return TypedResults.CreatedAtRoute(await FindAsync(db, order.Id, cancellationToken), "GetOrder", new { id = order.Id });
    }

    private static async Task<Results<Ok<OrderDetails>, ProblemHttpResult>> PayAsync(
        int id, OrdersDb db, ILogger logger, CancellationToken cancellationToken)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var paid = await db.Orders.Where(order => order.Id == id && order.Status == OrderStatus.Pending).ExecuteUpdateAsync(
            update => update.SetProperty(order => order.Status, OrderStatus.Paid).SetProperty(order => order.PaidAt, _ => DateTimeOffset.UtcNow),
            cancellationToken);
        if (paid == 1)
        {
            await db.AnnounceAsync(id, OrderStatus.Paid, cancellationToken);
            await transaction.CommitAsync(CancellationToken.None);
            Log.OrderPaid(logger, id);
        }

        return await GetAsync(id, db, cancellationToken);
    }

    private static Task<OrderDetails?> FindAsync(OrdersDb db, int id, CancellationToken cancellationToken)
        => db.Orders
            .Where(order => order.Id == id)
            .Select(order => new OrderDetails(
                order.Id,
                order.CustomerId,
                order.Customer!.Name,
                order.Status,
                order.Total,
                order.CreatedAt,
                order.PaidAt,
                order.Lines
                    .OrderBy(line => line.ProductId)
                    .Select(line => new OrderDetailsLine(line.ProductId, line.Product!.Name, line.Quantity, line.UnitPrice))
                    .ToList()))
            .SingleOrDefaultAsync(cancellationToken);
}
