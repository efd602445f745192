using EfPooling.AdoNet;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrdersApi.Data;
using OrdersApi.Http;

namespace OrdersApi.Features;

/// <summary>A deliberate mistake, which shows what the guard does about it.</summary>
internal static class Demo
{
    public static void MapDemo(this IEndpointRouteBuilder routes)
        => routes.MapPost("/demo/one-context-two-tasks", OneContextTwoTasksAsync).WithTags("Demo").WithName("UseOneContextFromTwoTasks")
            .WithSummary("Uses one context from two tasks, which is a mistake: the answer names both places in the code.")
            .ProducesProblem(StatusCodes.Status409Conflict);

    /// <remarks>The tags let the exception name the lines. Without them, <c>CallSiteSampling</c> can find them in the stack.</remarks>
    private static async Task<Results<NoContent, ProblemHttpResult>> OneContextTwoTasksAsync(OrdersDb db, CancellationToken cancellationToken)
    {
        // Takes long enough for the second one to start meanwhile.
        var orders = db.Orders.FromSql($"SELECT o.* FROM orders o, (SELECT pg_sleep(0.2)) AS nap").TagWithCallSite().CountAsync(cancellationToken);
#pragma warning disable EFP0002 // The mistake that this endpoint shows.
        var customers = db.Customers.TagWithCallSite().CountAsync(cancellationToken);
#pragma warning restore EFP0002
        try
        {
            await Task.WhenAll(orders, customers);
            return TypedResults.NoContent();
        }
        catch (ConcurrentUseException e)
        {
            return Problems.Conflict("concurrent-use", "One context, two tasks", e.Message, ("running", $"{e.Running}"), ("refused", $"{e.Refused}"));
        }
    }
}
