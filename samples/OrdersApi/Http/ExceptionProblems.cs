using System.Text.Json;
using EfPooling.AdoNet;
using EfPooling.Core;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Npgsql;

namespace OrdersApi.Http;

/// <summary>Turns the exceptions that a client can act on into problem details. Any other becomes a plain 500.</summary>
internal sealed class ExceptionProblems(IProblemDetailsService problems, ILogger logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var problem = exception switch
        {
            BadHttpRequestException bad => BadRequest(bad),
            PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire } => BadCharacter(),
            SessionSettingMissingException => Tenant.Missing().ProblemDetails,
            _ when IsUnavailable(exception) => Unavailable(httpContext, exception),
            _ => null,
        };
        if (problem is null)
        {
            return false;
        }

        httpContext.Response.StatusCode = problem.Status!.Value;
        return await problems.TryWriteAsync(new ProblemDetailsContext { HttpContext = httpContext, ProblemDetails = problem, Exception = exception });
    }

    private static ProblemDetails BadRequest(BadHttpRequestException bad) => new()
    {
        Status = bad.StatusCode,
        Detail = bad.InnerException is JsonException json ? $"{bad.Message} {json.Message}" : bad.Message,
    };

    private static ProblemDetails BadCharacter() => new()
    {
        Status = StatusCodes.Status400BadRequest,
        Detail = "A text contains the character NUL (\\u0000), which cannot be stored.",
    };

    // EF Core wraps an exception that looks transient in an InvalidOperationException. After a commit of unknown outcome a client must not simply try again.
    private static bool IsUnavailable(Exception exception)
        => exception is not CommitOutcomeUnknownException
            && (exception is QueryWaitTimeoutException or NpgsqlException { IsTransient: true }
                || (exception.InnerException is { } inner && IsUnavailable(inner)));

    private ProblemDetails Unavailable(HttpContext httpContext, Exception exception)
    {
        Log.DatabaseUnavailable(logger, exception, httpContext.Request.Method, httpContext.Request.Path);
        httpContext.Response.Headers.RetryAfter = "1";
        return new ProblemDetails
        {
            Status = StatusCodes.Status503ServiceUnavailable,
            Type = "urn:orders-api:database-unavailable",
            Title = "Database unavailable",
            Detail = "The database is busy or cannot be reached. Try again.",
        };
    }
}
