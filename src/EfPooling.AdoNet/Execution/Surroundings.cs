using System.Diagnostics;

namespace EfPooling.AdoNet;

/// <summary>What an execution context says about the flow it belongs to. Read only when two operations meet.</summary>
/// <param name="TraceId">W3C trace id of the current activity.</param>
/// <param name="SpanId">W3C span id of the same.</param>
/// <param name="Site">Captured where the application entered its context; <c>null</c> unless sampled.</param>
internal readonly record struct Surroundings(string? TraceId, string? SpanId, StackTrace? Site)
{
    public static Surroundings Of(ExecutionContext? context)
    {
        var result = default(Surroundings);
        if (context is not null)
        {
            ExecutionContext.Run(context, _ => result = Here, null);
        }

        return result;
    }

    public static Surroundings Here
        => new(Activity.Current?.TraceId.ToString(), Activity.Current?.SpanId.ToString(), GuardFlow.Current?.Site as StackTrace);
}
