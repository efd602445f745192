using System.Text.RegularExpressions;
using EfPooling.AdoNet;
using Microsoft.AspNetCore.Http.HttpResults;

namespace OrdersApi.Http;

/// <summary>Whose data a request is about: its header <c>X-Tenant</c>, or <c>?tenant=</c> where a browser cannot send headers.</summary>
/// <remarks>A real API would take it from the user's token. Everything behind this class would be the same.</remarks>
internal static partial class Tenant
{
    public const string Header = "X-Tenant";

    private static readonly AsyncLocal<string?> Present = new();

    /// <summary>The tenant of the request that is being answered; <c>null</c> if the request names none.</summary>
    public static string? Current
    {
        get => Present.Value;
        set => Present.Value = value;
    }

    /// <summary>
    /// Every statement through the pool, with EF Core or Dapper, runs as the tenant and as a role that the policies bind. Without a
    /// tenant no statement is sent, so an endpoint that needs a tenant fails with that error.
    /// </summary>
    public static void Declare(TransactionPoolingOptions options)
        => options.SessionSetting("app.tenant_id", _ => Current, required: true).SessionSetting("role", "orders_app");

    public static void UseTenants(this WebApplication app)
        => app.Use(async (HttpContext context, RequestDelegate next) =>
        {
            string? tenant = context.Request.Headers[Header];
            tenant ??= context.Request.Query["tenant"];
            if (tenant is not null && !Name().IsMatch(tenant))
            {
                await Problem($"'{tenant}' is no tenant: a name is made of up to 40 small letters, digits and hyphens.").ExecuteAsync(context);
                return;
            }

            Current = tenant;
            await next(context);
        });

    public static ProblemHttpResult Missing() => Problem($"Say whose data it is, with the header {Header}: tea-house, for example.");

    private static ProblemHttpResult Problem(string detail) => Problems.BadRequest("tenant", "No tenant", detail);

    [GeneratedRegex("^[a-z0-9][a-z0-9-]{0,39}$")]
    private static partial Regex Name();
}
