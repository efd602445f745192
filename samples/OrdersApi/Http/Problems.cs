using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;

namespace OrdersApi.Http;

/// <summary>Answers that say what is wrong (RFC 9457). A client decides by <c>type</c>; the rest is for people.</summary>
internal static class Problems
{
    public static ProblemHttpResult NotFound(string what, int id)
        => Problem(StatusCodes.Status404NotFound, "not-found", "Not found", $"There is no {what} {id}.");

    public static ProblemHttpResult Conflict(string type, string title, string detail, params (string Name, object Value)[] extensions)
        => Problem(StatusCodes.Status409Conflict, type, title, detail, extensions);

    public static ProblemHttpResult BadRequest(string type, string title, string detail)
        => Problem(StatusCodes.Status400BadRequest, type, title, detail);

    /// <summary>One value of the input is of the right form but refers to nothing.</summary>
    public static ValidationProblem Invalid(string member, params string[] messages)
        => TypedResults.ValidationProblem(new Dictionary<string, string[]> { [member] = messages });

    /// <summary>Says where the problem is, and names the members of the input as JSON does.</summary>
    public static void Customize(ProblemDetailsContext context)
    {
        context.ProblemDetails.Instance = context.HttpContext.Request.Path;
        if (context.ProblemDetails is HttpValidationProblemDetails validation)
        {
            validation.Errors = validation.Errors.ToDictionary(
                error => string.Join('.', error.Key.Split('.').Select(JsonNamingPolicy.CamelCase.ConvertName)), error => error.Value);
        }
    }

    private static ProblemHttpResult Problem(int status, string type, string title, string detail, params (string Name, object Value)[] extensions)
        => TypedResults.Problem(
            statusCode: status,
            type: "urn:orders-api:" + type,
            title: title,
            detail: detail,
            extensions: extensions.Select(extension => KeyValuePair.Create(extension.Name, (object?)extension.Value)));
}
