namespace EfPooling.AdoNet.Sql;

/// <summary>
/// What an SQL text does to its session, or needs from it, beyond its own transaction. Several may hold at once.
/// </summary>
[Flags]
internal enum SessionEffects
{
    None = 0,

    /// <summary>
    /// Changes settings whose names can be read in the text: SET, RESET, <c>set_config('name', …, false)</c>, SET ROLE and the
    /// like.
    /// </summary>
    Settings = 1,

    /// <summary>Changes settings whose names cannot be read: <c>set_config</c> with a computed name, an update of <c>pg_settings</c>.</summary>
    UnnamedSettings = 2,

    /// <summary>LISTEN and UNLISTEN.</summary>
    Listen = 4,

    /// <summary>Creates or uses temporary objects that outlive the transaction.</summary>
    TemporaryObject = 8,

    /// <summary>Takes or releases advisory locks that outlive the transaction.</summary>
    SessionLock = 16,

    /// <summary>PREPARE, EXECUTE and DEALLOCATE as text.</summary>
    PreparedStatement = 32,

    /// <summary>DECLARE … WITH HOLD.</summary>
    HoldCursor = 64,

    /// <summary>LOAD.</summary>
    Library = 128,

    /// <summary>DISCARD, which also destroys Npgsql's own state in the session.</summary>
    Discard = 256,

    /// <summary>BEGIN, START, COMMIT, END, ROLLBACK, ABORT and the two-phase commands as text. Not savepoints.</summary>
    TransactionControl = 512,

    /// <summary>
    /// <c>currval</c> or <c>lastval</c> before a part of the text that may have advanced a sequence: the answer depends on the
    /// session.
    /// </summary>
    SequenceValue = 1024,

    /// <summary>
    /// May do anything: dynamic SQL, CALL, an unknown statement, or a text that ends within a token or statement.
    /// </summary>
    Unknown = 2048,

    /// <summary>Replication origins and slots, which may belong to the session.</summary>
    ReplicationState = 4096,

    /// <summary>
    /// State of functions that no command resets: <c>setseed</c> and SET seed, <c>set_limit</c>, connections of dblink.
    /// </summary>
    FunctionState = 8192,

    /// <summary>
    /// Changes how the server reads constants (<c>standard_conforming_strings</c>), so that every later text may differ from what
    /// was read here.
    /// </summary>
    StringSyntax = 16384,

    /// <summary>The effects for which a text needs a session, unless it ends everything that it makes there.</summary>
    OfSessions = TransactionControl | Listen | TemporaryObject | SessionLock | PreparedStatement | HoldCursor | Library | Discard | UnnamedSettings | SequenceValue
        | ReplicationState | FunctionState,
}
