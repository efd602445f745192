namespace EfPooling.AdoNet;

/// <summary>When a server connection goes back to the pool (PgBouncer <c>pool_mode</c>).</summary>
public enum PoolMode
{
    /// <summary>After each transaction. Outside one, after each command or when its reader is closed.</summary>
    Transaction,

    /// <summary>When the logical connection is closed, as with Npgsql's own pool.</summary>
    Session,

    /// <summary>After each command; transactions are refused.</summary>
    Statement,
}
