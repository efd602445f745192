using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// Read batches as spans of the activity source <c>EfPooling</c>. Npgsql's own span of a batch would belong to the trace of only
/// one of its reads. So the batch has a trace of its own, with Npgsql's span in it, and each batched read has a span in its
/// caller's trace, linked to it. Thread-safe.
/// </summary>
/// <param name="pool">The pool's name, a tag of each span.</param>
/// <param name="database">The database's name, another tag.</param>
/// <param name="logger">Receives the failures of listeners.</param>
internal sealed class MultiplexingTracing(string pool, string? database, ILogger logger)
{
    private static readonly ActivitySource Source = new("EfPooling");

    private int _hasToldOfLoss; // Interlocked for setting

    /// <summary>The time on the clock of all other spans if there is a listener; otherwise default.</summary>
    public static DateTimeOffset Now => Source.HasListeners() ? TimeProvider.System.GetUtcNow() : default;

    /// <summary>Begins a trace if there is a listener. Call it in a flow without a trace.</summary>
    public Activity? StartBatch(int length)
        => Source.HasListeners() ? Start(ActivityKind.Internal, "read batch", [new("efpooling.multiplexing.batch.size", length)], null, default) : null;

    /// <summary>The span of a batched read, in the trace of the calling flow.</summary>
    /// <param name="sql">The read's text.</param>
    /// <param name="batch">The span of its batch.</param>
    /// <param name="since">When it began to wait, by <see cref="Now"/>.</param>
    public Activity? StartRead(string sql, Activity? batch, DateTimeOffset since)
    {
        if (since != default)
        {
            return Start(ActivityKind.Client, "postgresql", [new("db.system.name", "postgresql"), new("db.namespace", database), new("db.query.text", sql)], batch, since);
        }

        // Its trace is recorded, and would lack Npgsql's span of the statement.
        if (Volatile.Read(ref _hasToldOfLoss) == 0 && Activity.Current is { Recorded: true } && Interlocked.Exchange(ref _hasToldOfLoss, 1) == 0)
        {
            Log.NoSpans(logger, pool);
        }

        return null;
    }

    /// <param name="span">Null: there was no listener when it began.</param>
    /// <param name="error">The error with which it ends, if any.</param>
    public void End(Activity? span, Exception? error)
    {
        if (span is null)
        {
            return;
        }

        var current = Activity.Current; // The flow that ends a span need not be the one that began it.
        try
        {
            if (error is not null)
            {
                span.AddException(error);
                span.SetTag("error.type", error is PostgresException { SqlState: var state } ? state : error.GetType().FullName);
                span.SetStatus(ActivityStatusCode.Error, error.Message);
            }

            span.Stop();
        }
        catch (Exception e)
        {
            Log.ListenerFailed(logger, e, pool);
        }

        Activity.Current = ReferenceEquals(current, span) ? null : current;
    }

    // Listeners belong to the application and run here. Batches must complete whatever the listeners do.
    private Activity? Start(ActivityKind kind, string name, KeyValuePair<string, object?>[] tags, Activity? link, DateTimeOffset since)
    {
        try
        {
            return Source.StartActivity(
                kind, tags: [.. tags, new("db.client.connection.pool.name", pool)], links: link is null ? null : [new ActivityLink(link.Context)], startTime: since, name: name);
        }
        catch (Exception e)
        {
            Log.ListenerFailed(logger, e, pool);
            return null;
        }
    }
}
