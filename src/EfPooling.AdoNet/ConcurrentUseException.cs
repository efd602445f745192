namespace EfPooling.AdoNet;

/// <summary>
/// A connection was asked for a second operation while one was running: another task uses it, or a reader is still open.
/// Nothing of the second operation reached the server and the first one was not disturbed.
/// </summary>
public sealed class ConcurrentUseException : InvalidOperationException
{
    internal ConcurrentUseException(string? running, string? refused)
        : base($"This connection is busy with {Quote(running)}, so it cannot run {Quote(refused)}. "
            + "A connection and a DbContext do one thing at a time: await the first operation, read or close an open reader (ToListAsync buffers), or give each task a connection or context of its own (IDbContextFactory).")
    {
        RunningActivity = running;
        RefusedActivity = refused;
    }

    /// <summary>What was running, without parameter values.</summary>
    public string? RunningActivity { get; }

    /// <summary>What was refused, without parameter values.</summary>
    public string? RefusedActivity { get; }

    private static string Quote(string? activity) => activity is null ? "another operation" : $"'{activity}'";
}
