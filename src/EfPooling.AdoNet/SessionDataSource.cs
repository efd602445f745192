using System.Data.Common;

namespace EfPooling.AdoNet;

/// <summary>The connections of a pool, with a policy of their own for what needs a session. Disposing it leaves the pool open.</summary>
internal sealed class SessionDataSource(TransactionPoolingDataSource pool, SessionStatePolicy policy) : DbDataSource
{
    public override string ConnectionString => pool.ConnectionString;

    protected override DbConnection CreateDbConnection()
    {
        var connection = pool.CreateConnection(null, null);
        connection.SessionState = policy;
        return connection;
    }
}
