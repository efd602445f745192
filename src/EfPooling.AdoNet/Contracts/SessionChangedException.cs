namespace EfPooling.AdoNet;

/// <summary>
/// With <see cref="TransactionPoolingOptions.VerifySessions"/>: statements that were judged to leave their session unchanged have
/// changed it. Without that option, the next caller would have got the changed session. The server connection was closed; other
/// effects of the statements remain.
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

    /// <summary>The statements that ran on the server connection since its last comparison, in order.</summary>
    public IReadOnlyList<string> Statements { get; }

    /// <summary>
    /// The differences found: a setting, the user, prepared statements, cursors, temporary objects, session locks, channels, the
    /// seed of <c>random()</c>.
    /// </summary>
    public IReadOnlyList<string> Differences { get; }
}
