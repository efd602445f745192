using System.Data.Common;
using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfPooling.EntityFrameworkCore.Interceptors;

/// <summary>Gives a context a logical connection instead of an Npgsql connection.</summary>
internal sealed class PooledConnectionInterceptor : DbConnectionInterceptor
{
    public static readonly PooledConnectionInterceptor Instance = new();

    public override InterceptionResult<DbConnection> ConnectionCreating(ConnectionCreatingEventData eventData, InterceptionResult<DbConnection> result)
    {
        // The provider creates further connections for itself, for example to database postgres. They must stay its own.
        if (result.HasResult || eventData.Context is not { } context || eventData.ConnectionId != context.GetService<IRelationalConnection>().ConnectionId)
        {
            return result;
        }

        return InterceptionResult<DbConnection>.SuppressWithResult(PoolResolver.CreateConnection(context, PoolResolver.Find(context)));
    }

    public override InterceptionResult ConnectionOpening(DbConnection connection, ConnectionEventData eventData, InterceptionResult result)
    {
        OnOpening(connection, eventData);
        return result;
    }

    public override ValueTask<InterceptionResult> ConnectionOpeningAsync(
        DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
    {
        OnOpening(connection, eventData);
        return new(result);
    }

    public override void ConnectionClosed(DbConnection connection, ConnectionEndEventData eventData)
    {
        if (connection is LogicalConnection { HasMigrated: true } migrated && TakePool(migrated) is { } pool)
        {
            pool.ReloadTypes();
        }
    }

    public override Task ConnectionClosedAsync(DbConnection connection, ConnectionEndEventData eventData)
        => connection is LogicalConnection { HasMigrated: true } migrated && TakePool(migrated) is { } pool ? pool.ReloadTypesAsync() : Task.CompletedTask;

    // A pool that never had a connection learns the types with its first one.
    private static TransactionPoolingDataSource? TakePool(LogicalConnection migrated)
    {
        migrated.HasMigrated = false;
        return migrated.Pool is { ServerVersion: not null } pool ? pool : null;
    }

    private static void OnOpening(DbConnection connection, ConnectionEventData eventData)
    {
        if (connection is NpgsqlConnection plain && eventData.Context is { } context)
        {
            RefuseUnpooled(plain, context);
            RefuseCreatingOnThePool(plain, context, eventData.ConnectionId);
        }
    }

    // The provider creates or drops the context's database from another one, and then casts the context's connection. If the
    // context has not left its pool for that, its database creator is not decorated.
    private static void RefuseCreatingOnThePool(NpgsqlConnection connection, DbContext context, Guid connectionId)
    {
        var own = context.GetService<IRelationalConnection>();
        if (connectionId != own.ConnectionId && own.DbConnection is LogicalConnection pooled && pooled.Database != connection.Database)
        {
            throw new InvalidOperationException(
                $"Database '{pooled.Database}' was not created or dropped: that is done outside the pool, and the database creator of {context.GetType().Name} was called inside it. If it was put in place with ReplaceService, call it through context.Database (EnsureCreated, EnsureDeleted, Migrate). With UseInternalServiceProvider, call AddEntityFrameworkTransactionPooling() on its collection, after AddEntityFrameworkNpgsql().");
        }
    }

    private static void RefuseUnpooled(NpgsqlConnection connection, DbContext context)
    {
        if (ReferenceEquals(connection, RelationalOptionsExtension.Extract(context.GetService<IDbContextOptions>()).Connection))
        {
            throw new InvalidOperationException("UseNpgsql was given an NpgsqlConnection, which UseTransactionPooling cannot pool. Give it a LogicalConnection (TransactionPoolingDataSource.CreateConnection), a data source or a connection string.");
        }
    }
}
