namespace EfPooling.AdoNet.Sql;

/// <summary>The kind of statement of a text. WITH counts as the statement that it introduces.</summary>
internal enum StatementKind
{
    /// <summary>No statement: empty, white space, comments, semicolons.</summary>
    None,

    /// <summary>SELECT, VALUES and TABLE, also in parentheses.</summary>
    Select,
    SelectInto,
    Insert,
    Update,
    Delete,
    Merge,
    Copy,
    Call,
    Do,
    Explain,
    Show,

    /// <summary>SET of the session.</summary>
    Set,

    /// <summary>SET LOCAL, SET TRANSACTION, SET CONSTRAINTS.</summary>
    SetLocal,
    Reset,

    /// <summary>BEGIN, COMMIT, ROLLBACK and their synonyms, COMMIT PREPARED and ROLLBACK PREPARED.</summary>
    Transaction,
    PrepareTransaction,

    /// <summary>SAVEPOINT, RELEASE, ROLLBACK TO.</summary>
    Savepoint,
    Declare,

    /// <summary>FETCH, MOVE and CLOSE.</summary>
    Cursor,

    /// <summary>LISTEN and UNLISTEN.</summary>
    Listen,
    Notify,

    /// <summary>PREPARE, EXECUTE and DEALLOCATE.</summary>
    Prepare,
    Discard,
    Load,
    Create,
    Alter,
    Drop,

    /// <summary>Known statements without effect on the session: VACUUM, GRANT, LOCK, TRUNCATE and others.</summary>
    Utility,

    /// <summary>Several statements of different kinds.</summary>
    Several,

    /// <summary>Unknown or incomplete.</summary>
    Unknown,
}
