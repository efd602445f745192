namespace OrdersApi;

/// <summary>All log messages of the API.</summary>
internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "No connection string 'Orders' is configured: a throw-away PostgreSQL {Version} runs at {Host}:{Port}. Its data goes when this process ends.")]
    public static partial void ThrowAwayServerStarted(ILogger logger, int version, string host, int port);

    [LoggerMessage(2, LogLevel.Information, "{Method} {Path} answered {StatusCode} after {Milliseconds:0.0} ms.")]
    public static partial void RequestAnswered(ILogger logger, string method, string path, int statusCode, double milliseconds);

    [LoggerMessage(10, LogLevel.Information, "Order {OrderId} of customer {CustomerId} created: {Lines} lines, {Total} in total.")]
    public static partial void OrderCreated(ILogger logger, int orderId, int customerId, int lines, decimal total);

    [LoggerMessage(11, LogLevel.Information, "Order of customer {CustomerId} refused: out of stock of products {ProductIds}.")]
    public static partial void OutOfStock(ILogger logger, int customerId, string productIds);

    [LoggerMessage(12, LogLevel.Information, "Order {OrderId} paid.")]
    public static partial void OrderPaid(ILogger logger, int orderId);

    [LoggerMessage(20, LogLevel.Information, "{Quantity} of product {ProductId} delivered.")]
    public static partial void StockDelivered(ILogger logger, int productId, int quantity);

    [LoggerMessage(30, LogLevel.Warning, "{Method} {Path} refused: the database is busy or cannot be reached.")]
    public static partial void DatabaseUnavailable(ILogger logger, Exception error, string method, string path);
}
