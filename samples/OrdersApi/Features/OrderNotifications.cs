using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using EfPooling.AdoNet;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using OrdersApi.Data;
using OrdersApi.Http;

namespace OrdersApi.Features;

/// <summary>Tells clients of orders that were placed or paid, as soon as that is committed. One server connection listens for all of them.</summary>
internal static class OrderNotifications
{
    // A tenant gets notifications of its own orders only.
    private static string Channel => $"order_changes of {Tenant.Current}";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    public static void MapNotifications(this IEndpointRouteBuilder routes)
        => routes.MapGet("/notifications", Stream).WithTags("Orders").WithName("StreamNotifications")
            .WithSummary("Server-sent events: 'order' for each order placed or paid, 'gap' at the beginning and whenever some may have been missed.");

    /// <summary>Announces the order as it is now. Part of the current transaction: sent when that is committed, or never.</summary>
    public static Task AnnounceAsync(this OrdersDb db, int orderId, OrderStatus status, CancellationToken cancellationToken)
        => db.Database.ExecuteSqlAsync($"SELECT pg_notify({Channel}, {JsonSerializer.Serialize(new OrderChange(orderId, status), Json)})", cancellationToken);

    private static Results<ServerSentEventsResult<string>, ProblemHttpResult> Stream(
        TransactionPoolingDataSource pool, IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
        => Tenant.Current is null ? Tenant.Missing() : TypedResults.ServerSentEvents(EventsAsync(pool, lifetime.ApplicationStopping, cancellationToken));

    private static async IAsyncEnumerable<SseItem<string>> EventsAsync(
        TransactionPoolingDataSource pool, CancellationToken stopping, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The server waits for its requests when it stops, and this one would never end.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        await using var changes = pool.SubscribeAsync(Channel, end.Token).GetAsyncEnumerator(CancellationToken.None);
        while (await MoveNextAsync(changes))
        {
            // A browser drops an event without data.
            yield return changes.Current.IsGap ? new SseItem<string>("{}", "gap") : new SseItem<string>(changes.Current.Payload, "order");
        }
    }

    private static async Task<bool> MoveNextAsync(IAsyncEnumerator<ChannelNotification> changes)
    {
        try
        {
            return await changes.MoveNextAsync();
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}

/// <summary>A change of an order.</summary>
/// <param name="OrderId">Number of the order.</param>
/// <param name="Status">Pending: it was placed.</param>
public sealed record OrderChange(int OrderId, OrderStatus Status);
