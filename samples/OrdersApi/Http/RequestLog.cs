namespace OrdersApi.Http;

/// <summary>One line in the log for each request.</summary>
internal static class RequestLog
{
    public static void UseRequestLog(this WebApplication app)
        => app.Use(async (HttpContext context, RequestDelegate next) =>
        {
            var time = context.RequestServices.GetRequiredService<TimeProvider>();
            var start = time.GetTimestamp();
            await next(context); // Does not throw: the exception handler comes next.
            Log.RequestAnswered(
                app.Logger, context.Request.Method, context.Request.Path, context.Response.StatusCode, time.GetElapsedTime(start).TotalMilliseconds);
        });
}
