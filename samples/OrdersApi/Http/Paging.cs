using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace OrdersApi.Http;

/// <summary>Which part of a list is wanted.</summary>
/// <param name="Page">Number of the page, from 1.</param>
/// <param name="PageSize">Items on a page.</param>
// "property:" because the OpenAPI document cannot be made of validation attributes on a constructor here (ASP.NET Core 10).
public sealed record PageQuery(
    [property: FromQuery(Name = "page"), Range(1, 1_000_000)] int Page = 1,
    [property: FromQuery(Name = "pageSize"), Range(1, 100)] int PageSize = 20);

/// <summary>A part of a list.</summary>
/// <param name="Items">What is on this page.</param>
/// <param name="Page">Number of the page, from 1.</param>
/// <param name="PageSize">Most items on a page.</param>
/// <param name="Total">Number of items on all pages.</param>
public sealed record Paged<T>(IReadOnlyList<T> Items, int Page, int PageSize, int Total);

internal static class Paging
{
    /// <param name="source">In a defined order.</param>
    /// <param name="query">The wanted page.</param>
    /// <param name="cancellationToken">Cancels the reading.</param>
    public static async Task<Paged<T>> ToPageAsync<T>(this IQueryable<T> source, PageQuery query, CancellationToken cancellationToken)
    {
        var total = await source.CountAsync(cancellationToken);
        var items = await source.Skip((query.Page - 1) * query.PageSize).Take(query.PageSize).ToListAsync(cancellationToken);
        return new Paged<T>(items, query.Page, query.PageSize, total);
    }
}
