using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace Microsoft.EntityFrameworkCore;

/// <summary>The pool behind a context.</summary>
public static class TransactionPoolingDatabaseFacadeExtensions
{
    /// <summary>The pool that serves the context: its numbers, <c>Clear</c>, connections for Dapper.</summary>
    /// <exception cref="InvalidOperationException">The context does not use transaction pooling.</exception>
    public static TransactionPoolingDataSource GetTransactionPool(this DatabaseFacade database)
    {
        ArgumentNullException.ThrowIfNull(database);
        return database.GetDbConnection() is LogicalConnection { Pool: { } pool } ? pool : PoolResolver.Resolve(((IDatabaseFacadeDependenciesAccessor)database).Context);
    }
}
