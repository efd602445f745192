namespace EfPooling.AdoNet;

/// <summary>
/// With <see cref="TransactionPoolingOptions.VerifySessions"/>: statements that were judged to leave their session as it was have changed it. Without it, the next caller would
/// have had the changed session. The server connection was closed; what the statements did otherwise stands.
/// </summary>
public sealed class SessionChangedException : Exception
{
    internal SessionChangedException(string pool, IReadOnlyList<string> statements, IEnumerable<string> summaries, IReadOnlyList<string> differences)
        : base(
            $"Pool '{pool}': the session is not what it was before {string.Join("; ", summaries.Select(text => $"'{text}'"))}. Changed: {string.Join("; ", differences)}. "
            + "If a function named in TrustedFunctions or TrustedSchemas did this, take it off the list; otherwise please report the statement and the definitions of what it uses.")
    {
        Statements = statements;
        Differences = differences;
    }

    /// <summary>What ran on the server connection since it was last compared, in order.</summary>
    public IReadOnlyList<string> Statements { get; }

    /// <summary>What was found changed: a setting, the user, prepared statements, cursors, temporary objects, session locks, channels, the seed of <c>random()</c>.</summary>
    public IReadOnlyList<string> Differences { get; }
}
