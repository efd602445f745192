namespace EfPooling.AdoNet;

/// <summary>
/// A statement relies on a PostgreSQL session that a logical connection does not have: the next command may run on another one. The
/// message names the statement, the reason and what to write instead. Nothing was sent to the server.
/// </summary>
public sealed class SessionStateException : InvalidOperationException
{
    private SessionStateException(string message, PinReason reason, string? statement)
        : base(message)
    {
        Reason = reason;
        Statement = statement;
    }

    /// <summary>What the statement needs a session for.</summary>
    public PinReason Reason { get; }

    /// <summary>The statement, shortened and without parameter values; <c>null</c> if none is at fault.</summary>
    public string? Statement { get; }

    internal static SessionStateException Create(PinReason reason, string? statement)
    {
        var (why, remedy) = Explain(reason, statement);
        return new(
            $"'{statement}' {why}, and with transaction pooling the next command may run on another session. {remedy} What really needs one session asks for it: connection.LeaseSessionAsync(\"why\"), or keeps one until it is closed: connection.SessionState = SessionStatePolicy.Pin.",
            reason,
            statement);
    }

    internal static SessionStateException Declared(string setting, string? statement)
        => new(
            $"'{statement}' changes the session setting '{setting}', which is declared (SessionSetting) and set anew for each command and transaction. Change the declared value, or use SET LOCAL in a transaction.",
            PinReason.Setting,
            statement);

    internal static SessionStateException StringSyntax(string? statement)
        => new(
            $"'{statement}' changes how the server reads string constants (standard_conforming_strings), so that later texts on that session would not say what they were checked for. Leave it on, and write E'...' where a backslash shall escape.",
            PinReason.Setting,
            statement);

    internal static SessionStateException Lost(string setting)
        => new(
            $"SQL has changed the session setting '{setting}', but the server connection was lost before its value could be read back, so it cannot follow this connection. Close and open the connection, and set it again.",
            PinReason.Setting,
            statement: null);

    private static (string Why, string Remedy) Explain(PinReason reason, string? statement) => reason switch
    {
        PinReason.TemporaryObject when Mentions(statement, "FUNCTION") || Mentions(statement, "PROCEDURE")
            => ("makes a function that lives as long as the session", "Create it in an ordinary schema, or write what it does as a DO block or a common table expression."),
        PinReason.TemporaryObject when Mentions(statement, "VIEW") => ("makes a view that lives as long as the session", "Use a common table expression, or create the view in an ordinary schema."),
        PinReason.TemporaryObject when Mentions(statement, "SEQUENCE") => ("makes a sequence that lives as long as the session", "Use row_number() or generate_series(), or create the sequence in an ordinary schema."),
        PinReason.TemporaryObject when !Mentions(statement, "CREATE") && !Mentions(statement, "INTO")
            => ("uses an object that lives as long as the session", "Do it in the command or transaction that creates and drops the object."),
        PinReason.Listen when Mentions(statement, "UNLISTEN") => ("ends the listening of the session", "Leave it out, or end the enumeration of dataSource.SubscribeAsync(channel)."),
        PinReason.Listen => ("makes the session listen", "Use dataSource.SubscribeAsync(channel), which listens for the whole application."),
        PinReason.TemporaryObject => ("makes an object that lives as long as the session", "Create it with ON COMMIT DROP in the transaction that uses it, or use a common table expression."),
        PinReason.SessionLock => ("takes or frees a lock that is held by the session", "Use pg_advisory_xact_lock in a transaction."),
        PinReason.PreparedStatement => ("uses a prepared statement of the session", "Leave preparing to auto-prepare, or call command.Prepare()."),
        PinReason.HoldCursor => ("makes a cursor that lives as long as the session", "Declare it without hold in a transaction, or stream the rows with a reader."),
        PinReason.Library => ("loads a library into the session", "Name the library in session_preload_libraries."),
        PinReason.Discard => ("discards the state of the session", "Leave it out: a server connection is cleaned before its next owner gets it."),
        PinReason.TransactionText => ("begins or ends a transaction of the session", "Use connection.BeginTransaction and the transaction's Commit and Rollback."),
        PinReason.SequenceValue => ("asks for a value that the session remembers", "Use RETURNING, or do both in one transaction."),
        PinReason.Setting => ("changes a setting of the session whose name cannot be read from the text", "Write the name as a constant: SELECT set_config('app.tenant_id', @value, false)."),
        _ => ("changes the state of the session", "Do it in the command that needs it."),
    };

    private static bool Mentions(string? statement, string word) => statement?.Contains(word, StringComparison.OrdinalIgnoreCase) == true;
}
