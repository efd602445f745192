using System.Data.Common;
using Dapper;

namespace OrdersApi.Features;

/// <summary>Takes products out of stock, with Dapper inside the caller's transaction.</summary>
internal static class Stock
{
    /// <summary>
    /// Takes every line of which there is enough. The caller rolls back if there is a shortage. Concurrent callers wait for each other product by
    /// product and always in the same order, so that they cannot deadlock.
    /// </summary>
    /// <param name="transaction">Read committed is enough: each update looks at the row as it is when the lock is granted.</param>
    /// <param name="lines">Each product once.</param>
    /// <param name="cancellationToken">Cancels the operation; the transaction must then be rolled back.</param>
    public static async Task<TakenStock> TakeAsync(DbTransaction transaction, IEnumerable<NewOrderLine> lines, CancellationToken cancellationToken)
    {
        var prices = new Dictionary<int, decimal>();
        var shortages = new List<Shortage>();
        var unknown = new List<int>();
        foreach (var line in lines.OrderBy(line => line.ProductId))
        {
            if (await AskAsync<decimal?>("UPDATE products SET stock = stock - @Quantity WHERE id = @ProductId AND stock >= @Quantity RETURNING price", line) is { } price)
            {
                prices.Add(line.ProductId, price);
            }
            else if (await AskAsync<int?>("SELECT stock FROM products WHERE id = @ProductId", line) is { } available)
            {
                shortages.Add(new Shortage(line.ProductId, line.Quantity, available));
            }
            else
            {
                unknown.Add(line.ProductId);
            }
        }

        return new TakenStock(prices, shortages, unknown);

        Task<T?> AskAsync<T>(string sql, NewOrderLine line)
            => transaction.Connection!.ExecuteScalarAsync<T>(new CommandDefinition(sql, line, transaction, cancellationToken: cancellationToken));
    }
}

/// <summary>The result of taking products out of stock.</summary>
/// <param name="Prices">The price of each product that was taken, at that moment.</param>
/// <param name="Shortages">Products of which there are too few.</param>
/// <param name="Unknown">Products that do not exist.</param>
internal sealed record TakenStock(IReadOnlyDictionary<int, decimal> Prices, IReadOnlyList<Shortage> Shortages, IReadOnlyList<int> Unknown);

/// <summary>A product of which there are too few.</summary>
/// <param name="ProductId">Number of the product.</param>
/// <param name="Requested">Pieces ordered.</param>
/// <param name="Available">Pieces in stock.</param>
public sealed record Shortage(int ProductId, int Requested, int Available);
