using LogicalConnection_OnlyLeaseSessionAsyncGivesAn;

namespace EfPooling.AdoNet
{
    /// <summary>
    /// Dapper knows PostgreSQL by the name of the connection's type, and passes arrays (<c>= ANY(@ids)</c>) as arrays only to a type called
    /// NpgsqlConnection; for all others it rewrites the SQL. So that is what the type of every logical connection is called at run time.
    /// </summary>
    internal static class NamedForDapper
    {
        public static LogicalConnection Create(Func<string, TransactionPoolingDataSource> selectPool, TransactionPoolingDataSource? pool) => new NpgsqlConnection(selectPool, pool);
    }
}

#pragma warning disable IDE0130, CA1707 // What a failed cast says is the name of this type with its namespace, and nothing else. So that name says what to do.
namespace LogicalConnection_OnlyLeaseSessionAsyncGivesAn
{
    internal sealed class NpgsqlConnection : EfPooling.AdoNet.LogicalConnection
    {
        public NpgsqlConnection(Func<string, EfPooling.AdoNet.TransactionPoolingDataSource> selectPool, EfPooling.AdoNet.TransactionPoolingDataSource? pool)
            : base(selectPool, pool) => GC.SuppressFinalize(this); // There is nothing to finalize, and a connection is made for every query.
    }
}
