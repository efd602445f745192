using System.Data.Common;
using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfPooling.EntityFrameworkCore.Interceptors;

/// <summary>
/// Sees to it that a context's commands run with the session settings that it declares, also on a connection that the user made; and
/// without them where EF Core asks whether a database, its tables or migrations are there, for which nobody is anybody's tenant.
/// </summary>
internal sealed class SessionSettingInterceptor : DbCommandInterceptor
{
    public static readonly SessionSettingInterceptor Instance = new();

    public override InterceptionResult<DbDataReader> ReaderExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result)
    {
        Check(command, eventData);
        return result;
    }

    public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
    {
        Check(command, eventData);
        return new(result);
    }

    public override InterceptionResult<int> NonQueryExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<int> result)
    {
        Check(command, eventData);
        return result;
    }

    public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
    {
        Check(command, eventData);
        return new(result);
    }

    public override InterceptionResult<object> ScalarExecuting(DbCommand command, CommandEventData eventData, InterceptionResult<object> result)
    {
        Check(command, eventData);
        return result;
    }

    public override ValueTask<InterceptionResult<object>> ScalarExecutingAsync(
        DbCommand command, CommandEventData eventData, InterceptionResult<object> result, CancellationToken cancellationToken = default)
    {
        Check(command, eventData);
        return new(result);
    }

    private static void Check(DbCommand command, CommandEventData eventData)
    {
        if (command is not LogicalCommand { Connection: { } connection } logical)
        {
            return;
        }

        if (eventData.CommandSource == CommandSource.Migrations)
        {
            logical.IsPlain = true;
        }
        else if (eventData.Context is { } context && !ReferenceEquals(connection.Owner, context))
        {
            RequireSettings(context, connection);
        }
    }

    // The user's own connection, or that of another context: it has settings of its own.
    private static void RequireSettings(DbContext context, LogicalConnection connection)
    {
        foreach (var setting in PoolResolver.DeclaredBy(context).Settings)
        {
            if (connection.Settings?.IsDeclared(setting.Name) != true)
            {
                throw new InvalidOperationException(
                    $"{context.GetType().Name} declares the session setting '{setting.Name}', but it was given a connection that does not have it. Let the context make its connection (UseNpgsql with a connection string or data source), or call SetSessionSetting(\"{setting.Name}\", …) on the connection.");
            }
        }
    }
}
