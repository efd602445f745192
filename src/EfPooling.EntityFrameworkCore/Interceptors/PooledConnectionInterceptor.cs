using System.Data.Common;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Interceptors;

/// <summary>Gives a context a logical connection instead of an Npgsql connection.</summary>
internal sealed class PooledConnectionInterceptor : DbConnectionInterceptor
{
    public static readonly PooledConnectionInterceptor Instance = new();

    public override InterceptionResult<DbConnection> ConnectionCreating(ConnectionCreatingEventData eventData, InterceptionResult<DbConnection> result)
    {
        // The provider makes further connections for itself, to database postgres for example, that must stay its own.
        if (result.HasResult || eventData.Context is not { } context || eventData.ConnectionId != context.GetService<IRelationalConnection>().ConnectionId)
        {
            return result;
        }

        return InterceptionResult<DbConnection>.SuppressWithResult(PoolResolver.Resolve(context).CreateConnection());
    }
}
