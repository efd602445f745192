using System.Globalization;
using System.Text;

namespace EfPooling.AdoNet;

/// <summary>One of two operations that met in a <see cref="ConcurrentUseException"/>. Immutable.</summary>
public sealed class OperationInfo
{
    internal OperationInfo(OperationKind kind) => Kind = kind;

    /// <summary>What it does.</summary>
    public OperationKind Kind { get; }

    /// <summary>
    /// The SQL, shortened, on one line and without parameter values; otherwise a name. <c>null</c> if there is none.
    /// </summary>
    public string? CommandText { get; internal init; }

    /// <summary>
    /// Where the application started it, as <c>Type.Method in File.cs:12</c>. If that was not captured, where its command,
    /// transaction or connection was created. <c>null</c> if neither is known;
    /// <see cref="TransactionPoolingOptions.CallSiteSampling"/> tells how to capture it.
    /// </summary>
    public string? CallSite { get; internal init; }

    /// <summary>How long it has been running; <c>null</c> for a refused operation.</summary>
    public TimeSpan? Duration { get; internal init; }

    /// <summary>The thread that started it.</summary>
    public int ManagedThreadId { get; internal init; }

    /// <summary>
    /// W3C trace id of <see cref="System.Diagnostics.Activity.Current"/> at its start; <c>null</c> without one.
    /// </summary>
    public string? TraceId { get; internal init; }

    /// <summary>W3C span id of the same activity.</summary>
    public string? SpanId { get; internal init; }

    /// <summary>The operation on one line.</summary>
    public override string ToString() => $"{Name} ({Details})";

    internal string Name => CommandText is null ? Kind.ToString() : $"{Kind} '{CommandText}'";

    internal string Details
    {
        get
        {
            var text = new StringBuilder();
            if (Duration is { } duration)
            {
                text.Append(CultureInfo.InvariantCulture, $"for {duration.TotalSeconds:0.###} s, ");
            }

            text.Append(CultureInfo.InvariantCulture, $"thread {ManagedThreadId}, ");
            text.Append(CallSite is null ? "call site unknown, set CallSiteSampling to Always to know it" : $"at {CallSite}");
            return TraceId is null ? text.ToString() : text.Append(CultureInfo.InvariantCulture, $", trace {TraceId} span {SpanId}").ToString();
        }
    }
}
