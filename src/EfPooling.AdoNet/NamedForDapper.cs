using LogicalConnection_OnlyLeaseSessionAsyncGivesAn;

namespace EfPooling.AdoNet
{
    /// <summary>
    /// Dapper recognises PostgreSQL by the name of the connection's type, and passes arrays (<c>= ANY(@ids)</c>) as arrays only
    /// to a type called NpgsqlConnection. For all others it rewrites the SQL. So the type of every logical connection has that
    /// name at run time.
    /// </summary>
    internal static class NamedForDapper
    {
        public static LogicalConnection Create(Func<string, TransactionPoolingDataSource> selectPool, TransactionPoolingDataSource? pool) => new NpgsqlConnection(selectPool, pool);
    }
}

#pragma warning disable IDE0130, CA1707 // The message of a failed cast contains only the name of this type with its namespace. So that name contains the remedy.
namespace LogicalConnection_OnlyLeaseSessionAsyncGivesAn
{
    internal sealed class NpgsqlConnection : EfPooling.AdoNet.LogicalConnection
    {
        public NpgsqlConnection(Func<string, EfPooling.AdoNet.TransactionPoolingDataSource> selectPool, EfPooling.AdoNet.TransactionPoolingDataSource? pool)
            : base(selectPool, pool) => GC.SuppressFinalize(this); // There is nothing to finalize, and a connection is created for every query.
    }
}
