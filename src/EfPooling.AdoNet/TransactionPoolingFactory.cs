using System.Data.Common;
using Npgsql;

namespace EfPooling.AdoNet;

/// <summary>
/// ADO.NET's provider factory. Connections created here select their pool by <see cref="DbConnection.ConnectionString"/>. There
/// is one pool per connection string in the process, with the options of its keywords and the defaults.
/// </summary>
public sealed class TransactionPoolingFactory : DbProviderFactory
{
    /// <summary>The only instance.</summary>
    public static readonly TransactionPoolingFactory Instance = new();

    private readonly PoolFamily _pools = new(new PoolConfiguration());

    private TransactionPoolingFactory()
    {
    }

    /// <inheritdoc/>
    public override bool CanCreateBatch => true;

    /// <inheritdoc/>
    public override bool CanCreateDataAdapter => true;

    /// <inheritdoc/>
    public override bool CanCreateCommandBuilder => true;

    /// <summary>Closes every pool that this factory created. Connections created later get new ones.</summary>
    /// <param name="drain">How long to wait for leases to end.</param>
    public Task CloseAllPoolsAsync(TimeSpan drain) => _pools.CloseAllAsync(drain);

    /// <inheritdoc/>
    public override DbConnection CreateConnection() => NamedForDapper.Create(_pools.Get, null);

    /// <inheritdoc/>
    public override DbCommand CreateCommand() => new LogicalCommand();

    /// <inheritdoc/>
    public override DbBatch CreateBatch() => new LogicalBatch();

    /// <inheritdoc/>
    public override DbBatchCommand CreateBatchCommand() => new NpgsqlBatchCommand();

    /// <inheritdoc/>
    public override DbParameter CreateParameter() => new NpgsqlParameter();

    /// <inheritdoc/>
    public override DbConnectionStringBuilder CreateConnectionStringBuilder() => new NpgsqlConnectionStringBuilder();

    /// <inheritdoc/>
    public override DbDataAdapter CreateDataAdapter() => new LogicalDataAdapter();

    /// <inheritdoc/>
    public override DbCommandBuilder CreateCommandBuilder() => new LogicalCommandBuilder();

    /// <summary>Creates a data source with a pool of its own.</summary>
    public override DbDataSource CreateDataSource(string connectionString) => TransactionPoolingDataSource.Create(connectionString);
}
