namespace EfPooling.AdoNet;

/// <summary>
/// A statement relies on a PostgreSQL session that a logical connection does not have: the next command may run on another
/// session. The message names the statement, the reason and the remedy. Nothing was sent to the server.
/// </summary>
public sealed class SessionStateException : InvalidOperationException
{
    private SessionStateException(string message, PinReason reason, string? statement)
        : base(message)
    {
        Reason = reason;
        Statement = statement;
    }

    /// <summary>Why the statement needs a session.</summary>
    public PinReason Reason { get; }

    /// <summary>The statement, shortened and without parameter values; <c>null</c> if no statement is at fault.</summary>
    public string? Statement { get; }

    internal static SessionStateException Create(PinReason reason, string? statement, string why, string remedy)
        => new(
            $"'{statement}' {why}, and with transaction pooling the next command may run on another session. {remedy} What really needs one session asks for it: connection.LeaseSessionAsync(\"why\"), or keeps one until it is closed: connection.SessionState = SessionStatePolicy.Pin.",
            reason,
            statement);

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
}
