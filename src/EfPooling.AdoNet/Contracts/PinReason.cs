namespace EfPooling.AdoNet;

/// <summary>Why a statement or connection needs a PostgreSQL session of its own.</summary>
public enum PinReason
{
    /// <summary>The pool runs in session mode.</summary>
    SessionMode,

    /// <summary>The application leased a session.</summary>
    SessionLease,

    /// <summary><c>LISTEN</c>.</summary>
    Listen,

    /// <summary>A temporary table, view, sequence or function that is not dropped at the end of the transaction.</summary>
    TemporaryObject,

    /// <summary>An advisory lock that is held until the session ends.</summary>
    SessionLock,

    /// <summary><c>PREPARE</c>, <c>EXECUTE</c> or <c>DEALLOCATE</c> as text.</summary>
    PreparedStatement,

    /// <summary>A cursor declared <c>WITH HOLD</c>.</summary>
    HoldCursor,

    /// <summary><c>LOAD</c>.</summary>
    Library,

    /// <summary><c>DISCARD</c>.</summary>
    Discard,

    /// <summary><c>BEGIN</c>, <c>COMMIT</c> or <c>ROLLBACK</c> as text.</summary>
    TransactionText,

    /// <summary><c>currval</c> or <c>lastval</c> of a sequence that was advanced earlier.</summary>
    SequenceValue,

    /// <summary>A setting that is declared, or whose name cannot be read from the SQL text.</summary>
    Setting,

    /// <summary>Other state that a session keeps: connections of dblink, the seed of random().</summary>
    OtherState,
}
