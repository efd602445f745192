using Microsoft.AspNetCore.Http.Metadata;

namespace OrdersApi.Features;

/// <summary>What the API offers, for whoever opens it in a browser.</summary>
internal static class Home
{
    public static void MapHome(this IEndpointRouteBuilder routes)
        => routes.MapGet("/", (EndpointDataSource endpoints) => TypedResults.Ok(List(endpoints)))
            .WithTags("Home").WithName("ListEndpoints").WithSummary("The endpoints of this API.");

    private static IEnumerable<EndpointSummary> List(EndpointDataSource endpoints)
        => from endpoint in endpoints.Endpoints.OfType<RouteEndpoint>()
           let path = "/" + endpoint.RoutePattern.RawText!.Trim('/')
           from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
           orderby path, method
           select new EndpointSummary(method, path, endpoint.Metadata.GetMetadata<IEndpointSummaryMetadata>()?.Summary);
}

/// <summary>One endpoint.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Pattern of the path.</param>
/// <param name="Summary">What it does.</param>
public sealed record EndpointSummary(string Method, string Path, string? Summary);
