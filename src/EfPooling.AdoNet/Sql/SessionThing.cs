namespace EfPooling.AdoNet.Sql;

/// <summary>What a session keeps until a statement ends it.</summary>
internal enum SessionThing
{
    /// <summary>BEGIN, until COMMIT or ROLLBACK.</summary>
    Transaction,

    /// <summary>CREATE TEMP TABLE, until DROP TABLE. Undone by a rollback.</summary>
    TemporaryTable,

    /// <summary>LISTEN, until UNLISTEN. Undone by a rollback.</summary>
    Channel,

    /// <summary>PREPARE, until DEALLOCATE.</summary>
    PreparedStatement,

    /// <summary>pg_advisory_lock, until pg_advisory_unlock with the same arguments.</summary>
    Lock,
}
