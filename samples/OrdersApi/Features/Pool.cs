using EfPooling.AdoNet;
using EfPooling.Core;
using Microsoft.AspNetCore.Http.HttpResults;

namespace OrdersApi.Features;

/// <summary>The pool's own numbers.</summary>
internal static class Pool
{
    public static void MapPool(this IEndpointRouteBuilder routes)
        => routes.MapGet("/pool", Ok<PoolSnapshot> (TransactionPoolingDataSource pool) => TypedResults.Ok(pool.GetSnapshot()))
            .WithTags("Pool").WithName("GetPool").WithSummary("The pool at this moment: server connections, waiters, counters.");
}
