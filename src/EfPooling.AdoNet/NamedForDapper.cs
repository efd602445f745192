namespace EfPooling.AdoNet;

/// <summary>
/// Dapper knows PostgreSQL by the name of the connection's type, and passes arrays (<c>= ANY(@ids)</c>) as arrays only to a type called
/// NpgsqlConnection; for all others it rewrites the SQL. So that is what the type of every logical connection is called at run time.
/// </summary>
internal static class NamedForDapper
{
    public static LogicalConnection Create(Func<string, TransactionPoolingDataSource> selectPool, TransactionPoolingDataSource? pool) => new NpgsqlConnection(selectPool, pool);

    private sealed class NpgsqlConnection : LogicalConnection
    {
        public NpgsqlConnection(Func<string, TransactionPoolingDataSource> selectPool, TransactionPoolingDataSource? pool)
            : base(selectPool, pool) => GC.SuppressFinalize(this); // There is nothing to finalize, and a connection is made for every query.
    }
}
