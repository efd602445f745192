using EfPooling.AdoNet.Sql;

namespace EfPooling.AdoNet;

/// <summary>
/// What PostgreSQL keeps in a session beyond settings: by which effects of a SQL text it shows, and what that means for a connection without a session of its own and for
/// the server connection on which the text runs.
/// </summary>
internal static class SessionFeatures
{
    /// <summary>Settings whose values can no longer be taken for granted.</summary>
    public const SessionEffects HiddenSettings = SessionEffects.UnnamedSettings | SessionEffects.Unknown | SessionEffects.Discard;

    // All of SessionEffects.OfSessions. Of several, the first one gives the reason.
    private static readonly Feature[] Table =
    [
        new(SessionEffects.TransactionControl, PinReason.TransactionText, isResettable: true,
            "begins or ends a transaction of the session", "Use connection.BeginTransaction and the transaction's Commit and Rollback."),
        new(SessionEffects.Listen, PinReason.Listen, isResettable: true,
            "makes the session listen", "Use dataSource.SubscribeAsync(channel), which listens for the whole application.")
        {
            Forms = [new(["UNLISTEN"], "ends the listening of the session", "Leave it out, or end the enumeration of dataSource.SubscribeAsync(channel).")],
        },
        new(SessionEffects.TemporaryObject, PinReason.TemporaryObject, isResettable: true,
            "makes an object that lives as long as the session", "Create it with ON COMMIT DROP in the transaction that uses it, or use a common table expression.")
        {
            Forms =
            [
                new(["FUNCTION", "PROCEDURE"], "makes a function that lives as long as the session",
                    "Create it in an ordinary schema, or write what it does as a DO block or a common table expression."),
                new(["VIEW"], "makes a view that lives as long as the session", "Use a common table expression, or create the view in an ordinary schema."),
                new(["SEQUENCE"], "makes a sequence that lives as long as the session",
                    "Use row_number() or generate_series(), or create the sequence in an ordinary schema."),
                new(["CREATE", "INTO"], "uses an object that lives as long as the session", "Do it in the command or transaction that creates and drops the object.") { IsWithout = true },
            ],
        },
        new(SessionEffects.SessionLock, PinReason.SessionLock, isResettable: true,
            "takes or frees a lock that is held by the session", "Use pg_advisory_xact_lock in a transaction."),
        new(SessionEffects.PreparedStatement, PinReason.PreparedStatement, isResettable: false,
            "uses a prepared statement of the session", "Leave preparing to auto-prepare, or call command.Prepare()."),
        new(SessionEffects.HoldCursor, PinReason.HoldCursor, isResettable: true,
            "makes a cursor that lives as long as the session", "Declare it without hold in a transaction, or stream the rows with a reader."),
        new(SessionEffects.Library, PinReason.Library, isResettable: false,
            "loads a library into the session", "Name the library in session_preload_libraries."),
        new(SessionEffects.Discard, PinReason.Discard, isResettable: false,
            "discards the state of the session", "Leave it out: a server connection is cleaned before its next owner gets it."),
        new(SessionEffects.UnnamedSettings, PinReason.Setting, isResettable: true,
            "changes a setting of the session whose name cannot be read from the text", "Write the name as a constant: SELECT set_config('app.tenant_id', @value, false)."),
        new(SessionEffects.SequenceValue, PinReason.SequenceValue, isResettable: true,
            "asks for a value that the session remembers", "Use RETURNING, or do both in one transaction."),
        new(SessionEffects.ReplicationState | SessionEffects.FunctionState, PinReason.OtherState, isResettable: false,
            "changes the state of the session", "Do it in the command that needs it."),
    ];

    private static readonly SessionEffects Unresettable
        = Table.Where(feature => !feature.IsResettable).Aggregate(SessionEffects.None, (effects, feature) => effects | feature.Effects);

    private static readonly StatementKind[] SchemaChanges =
    [
        StatementKind.Create, StatementKind.Alter, StatementKind.Drop, StatementKind.Do, StatementKind.Call, StatementKind.Utility, StatementKind.Unknown,
        StatementKind.SelectInto, StatementKind.Prepare,
    ];

    /// <summary>Why a text needs a session; <c>null</c> if it does not.</summary>
    /// <param name="effects">Of the text.</param>
    /// <param name="isInTransaction">A transaction is enough for what it sets itself.</param>
    /// <param name="culprit">The effects that gave the reason.</param>
    public static PinReason? ReasonOf(SessionEffects effects, bool isInTransaction, out SessionEffects culprit)
    {
        foreach (var feature in Table)
        {
            culprit = effects & feature.Effects;
            if (culprit != SessionEffects.None && !(isInTransaction && feature.Reason == PinReason.SequenceValue))
            {
                return feature.Reason;
            }
        }

        culprit = SessionEffects.None;
        return null;
    }

    /// <summary>What a text is told that needs a session and gets none.</summary>
    /// <param name="reason">What <see cref="ReasonOf"/> has said.</param>
    /// <param name="statement">The statement that needs it, shortened.</param>
    public static SessionStateException Refuse(PinReason reason, string? statement)
    {
        var (why, remedy) = Array.Find(Table, feature => feature.Reason == reason)!.Explain(statement);
        return SessionStateException.Create(reason, statement, why, remedy);
    }

    /// <summary>The effects of a text by its own words, and whether anything that it refers to may have more.</summary>
    public static SessionEffects EffectsOf(SqlVerdict verdict, Judgement judgement) => judgement.IsClean ? verdict.Effects : verdict.Effects | SessionEffects.Unknown;

    /// <summary>Whether the text may have changed what the catalog depends on.</summary>
    public static bool MayChangeSchema(SqlVerdict verdict)
        => Array.Exists(SchemaChanges, verdict.Has);

    /// <summary>What a text may leave behind on its server connection.</summary>
    /// <param name="effects">Of the text and what it calls.</param>
    /// <param name="verdict">On the text.</param>
    /// <param name="settingsFollow">Settings are read back, to follow the logical connection; otherwise they are reset.</param>
    public static Taint TaintOf(SessionEffects effects, SqlVerdict verdict, bool settingsFollow)
    {
        var taint = Taint.None;
        if (effects.HasFlag(SessionEffects.Settings))
        {
            taint |= settingsFollow ? Taint.SettingsChanged : Taint.Dirty;
        }

        if ((effects & ~(SessionEffects.Settings | SessionEffects.SequenceValue)) != 0)
        {
            taint |= Taint.Dirty;
        }

        if ((effects & Unresettable) != 0 || verdict.Has(StatementKind.PrepareTransaction))
        {
            taint |= Taint.Unresettable;
        }

        if (effects.HasFlag(SessionEffects.TransactionControl) || verdict.Has(StatementKind.Unknown))
        {
            taint |= Taint.OpenTransaction;
        }

        return taint;
    }

    /// <summary>One row of the table.</summary>
    /// <param name="effects">The effects of a text that show it.</param>
    /// <param name="reason">Why such a text needs a session.</param>
    /// <param name="isResettable">A reset of the session takes it away.</param>
    /// <param name="why">What the statement does, in the middle of a sentence.</param>
    /// <param name="remedy">What to write instead, as a sentence.</param>
    private sealed class Feature(SessionEffects effects, PinReason reason, bool isResettable, string why, string remedy)
    {
        public SessionEffects Effects => effects;

        public PinReason Reason => reason;

        public bool IsResettable => isResettable;

        /// <summary>Statements that are told something else. The first one that fits counts.</summary>
        public Form[] Forms { get; init; } = [];

        public (string Why, string Remedy) Explain(string? statement)
            => Array.Find(Forms, form => form.Fits(statement)) is { } form ? (form.Why, form.Remedy) : (why, remedy);

        /// <summary>A statement that can be told by its words.</summary>
        /// <param name="Words">It has one of them.</param>
        /// <param name="Why">What it does.</param>
        /// <param name="Remedy">What to write instead.</param>
        public sealed record Form(string[] Words, string Why, string Remedy)
        {
            /// <summary>The statement has none of the words instead.</summary>
            public bool IsWithout { get; init; }

            public bool Fits(string? statement) => Array.Exists(Words, word => statement?.Contains(word, StringComparison.OrdinalIgnoreCase) == true) != IsWithout;
        }
    }
}
