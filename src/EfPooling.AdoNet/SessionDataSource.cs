using System.Data.Common;

namespace EfPooling.AdoNet;

/// <summary>
/// The connections of a pool, with a policy of their own for statements that need a session. Disposing it leaves the pool open.
/// </summary>
internal sealed class SessionDataSource(string connectionString, Func<DbConnection> create) : DbDataSource
{
    public override string ConnectionString => connectionString;

    protected override DbConnection CreateDbConnection() => create();
}
