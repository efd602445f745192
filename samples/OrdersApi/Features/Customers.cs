using System.ComponentModel.DataAnnotations;
using Dapper;
using EfPooling.AdoNet;
using Microsoft.AspNetCore.Http.HttpResults;
using OrdersApi.Http;

namespace OrdersApi.Features;

/// <summary>Customers, with Dapper on a connection from the services.</summary>
internal static class Customers
{
    public static void MapCustomers(this IEndpointRouteBuilder routes)
    {
        var customers = routes.MapGroup("/customers").WithTags("Customers");
        customers.MapGet("/", ListAsync).WithName("ListCustomers").WithSummary("Customers by number, page by page.").ProducesValidationProblem();
        customers.MapGet("/{id:int}", GetAsync).WithName("GetCustomer").WithSummary("One customer.").ProducesProblem(StatusCodes.Status404NotFound);
        customers.MapPost("/", CreateAsync).WithName("CreateCustomer").WithSummary("Registers a customer.")
            .ProducesValidationProblem().ProducesProblem(StatusCodes.Status409Conflict);
    }

    private static async Task<Ok<Paged<CustomerItem>>> ListAsync(
        [AsParameters] PageQuery page, LogicalConnection connection, CancellationToken cancellationToken)
    {
        var total = await connection.ExecuteScalarAsync<int>(new CommandDefinition("SELECT count(*)::int FROM customers", cancellationToken: cancellationToken));
        var items = await connection.QueryAsync<CustomerItem>(new CommandDefinition(
            "SELECT id, name, email FROM customers ORDER BY id LIMIT @Size OFFSET @Skip",
            new { Size = page.PageSize, Skip = (page.Page - 1) * page.PageSize },
            cancellationToken: cancellationToken));
        return TypedResults.Ok(new Paged<CustomerItem>(items.AsList(), page.Page, page.PageSize, total));
    }

    private static async Task<Results<Ok<CustomerItem>, ProblemHttpResult>> GetAsync(int id, LogicalConnection connection, CancellationToken cancellationToken)
        => await connection.QuerySingleOrDefaultAsync<CustomerItem>(new CommandDefinition(
            "SELECT id, name, email FROM customers WHERE id = @id", new { id }, cancellationToken: cancellationToken)) is { } customer
            ? TypedResults.Ok(customer)
            : Problems.NotFound("customer", id);

    private static async Task<Results<CreatedAtRoute<CustomerItem>, ProblemHttpResult>> CreateAsync(
        NewCustomer customer, LogicalConnection connection, CancellationToken cancellationToken)
    {
        var name = customer.Name.Trim();
        var email = customer.Email.ToLowerInvariant();
        var id = await connection.ExecuteScalarAsync<int?>(new CommandDefinition(
            "INSERT INTO customers (name, email) VALUES (@name, @email) ON CONFLICT (tenant_id, email) DO NOTHING RETURNING id",
            new { name, email },
            cancellationToken: cancellationToken));
        return id is null
            ? Problems.Conflict("email-taken", "E-mail address taken", $"There is a customer with the address {email} already.", ("email", email))
            : TypedResults.CreatedAtRoute(new CustomerItem(id.Value, name, email), "GetCustomer", new { id });
    }
}

/// <summary>A customer.</summary>
/// <param name="Id">Number of the customer.</param>
/// <param name="Name">Full name.</param>
/// <param name="Email">E-mail address in lower case; no two customers of a tenant have the same.</param>
public sealed record CustomerItem(int Id, string Name, string Email);

/// <summary>A customer to be.</summary>
/// <param name="Name">Full name.</param>
/// <param name="Email">E-mail address.</param>
public sealed record NewCustomer([Required, MaxLength(200)] string Name, [Required, EmailAddress, MaxLength(254)] string Email);
