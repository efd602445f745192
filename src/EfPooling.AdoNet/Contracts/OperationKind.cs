namespace EfPooling.AdoNet;

/// <summary>What an operation on a connection or context does.</summary>
public enum OperationKind
{
    /// <summary>A command without a result set.</summary>
    NonQuery,

    /// <summary>A command from which one value is read.</summary>
    Scalar,

    /// <summary>A command whose rows are read until its reader is closed.</summary>
    Reader,

    /// <summary>Several commands in one round trip.</summary>
    Batch,

    /// <summary>A command is prepared.</summary>
    Prepare,

    /// <summary>A transaction begins.</summary>
    BeginTransaction,

    /// <summary>A transaction is committed.</summary>
    Commit,

    /// <summary>A transaction is rolled back.</summary>
    Rollback,

    /// <summary>A savepoint is set, released or rolled back to.</summary>
    Savepoint,

    /// <summary>The schema is read with <c>GetSchema</c>.</summary>
    Schema,

    /// <summary>A session is leased.</summary>
    Session,

    /// <summary>A row or column is read from an open reader.</summary>
    ReadRow,

    /// <summary>A query or SaveChanges of a <c>DbContext</c> that has not reached its connection yet.</summary>
    ContextOperation,
}
