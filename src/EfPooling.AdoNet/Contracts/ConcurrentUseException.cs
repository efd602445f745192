namespace EfPooling.AdoNet;

/// <summary>
/// A second operation started on a connection, transaction, reader or context while one was running or a reader was open.
/// Nothing of the second operation reached the server, and the first one was not disturbed.
/// </summary>
public sealed class ConcurrentUseException : InvalidOperationException
{
    internal ConcurrentUseException(ConcurrentUseKind kind, OperationInfo running, OperationInfo refused, string? why = null)
        : base(MessageFor(kind, running, refused, why)) => (Kind, Running, Refused) = (kind, running, refused);

    /// <summary>How the two operations met, as far as it is known.</summary>
    public ConcurrentUseKind Kind { get; }

    /// <summary>The operation that was running.</summary>
    public OperationInfo Running { get; }

    /// <summary>The operation that was refused.</summary>
    public OperationInfo Refused { get; }

    internal static string MessageFor(ConcurrentUseKind kind, OperationInfo running, OperationInfo refused, string? why)
    {
        var (problem, remedy) = kind == ConcurrentUseKind.OpenReader
            ? ($"{refused.Name} cannot run while the reader of {running.Name} is open on the same connection.",
                "Buffer first (ToListAsync; Dapper: buffered: true) or close the reader, use a second connection or context, or set NestedCommands to OwnServerConnection for commands outside a transaction.")
            : ($"{refused.Name} cannot run while {running.Name} is running on the same connection or context.",
                "A connection and a DbContext do one thing at a time: await the first operation before the second, or give each task a connection or context of its own (IDbContextFactory).");
        return $"{problem} {(why is null ? "" : why + " ")}Running: {running.Details}. Refused: {refused.Details}. {remedy}";
    }
}
