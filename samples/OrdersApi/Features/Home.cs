using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;

namespace OrdersApi.Features;

/// <summary>What the API offers: a page with live events for a browser, JSON for all other clients.</summary>
internal static class Home
{
    public static void MapHome(this IEndpointRouteBuilder routes)
        => routes.MapGet("/", Show).WithTags("Home").WithName("ListEndpoints").WithSummary("The endpoints of this API; a page with live events for a browser.");

    private static Results<Ok<IEnumerable<EndpointSummary>>, FileStreamHttpResult> Show(HttpContext context, EndpointDataSource endpoints)
    {
        context.Response.Headers.Vary = "Accept";
        return context.Request.GetTypedHeaders().Accept.Any(type => type.MediaType == "text/html")
            ? TypedResults.Stream(typeof(Home).Assembly.GetManifestResourceStream("Home.html")!, "text/html")
            : TypedResults.Ok(List(endpoints));
    }

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
