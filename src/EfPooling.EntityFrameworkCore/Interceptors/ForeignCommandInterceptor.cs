using System.Data.Common;
using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Commands;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace EfPooling.EntityFrameworkCore.Interceptors;

/// <summary>
/// Does for commands that are not <see cref="PooledCommand"/>s what pooling cannot do without: gives SaveChanges Npgsql's own reader, to which the provider casts, and notes
/// that migrations have run. In a context with an internal service provider of the application's own, or its own <see cref="IRelationalCommandBuilderFactory"/>; declared session
/// settings need more and are refused there.
/// </summary>
internal sealed class ForeignCommandInterceptor : DbCommandInterceptor
{
    public static readonly ForeignCommandInterceptor Instance = new();

    /// <summary>This interceptor, or one that intercepts nothing if commands are ours. For EF Core's internal services.</summary>
    public static IInterceptor IfNeeded(IServiceProvider services)
        => services.GetRequiredService<IRelationalCommandBuilderFactory>() is PooledCommandBuilderFactory ? NoInterceptor.Instance : Instance;

    public override DbDataReader ReaderExecuted(DbCommand command, CommandExecutedEventData eventData, DbDataReader result) => ForProvider(eventData, result);

    public override ValueTask<DbDataReader> ReaderExecutedAsync(DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default)
        => new(ForProvider(eventData, result));

    public override int NonQueryExecuted(DbCommand command, CommandExecutedEventData eventData, int result)
    {
        NoteMigration(command, eventData);
        return result;
    }

    public override ValueTask<int> NonQueryExecutedAsync(DbCommand command, CommandExecutedEventData eventData, int result, CancellationToken cancellationToken = default)
    {
        NoteMigration(command, eventData);
        return new(result);
    }

    // EF Core disposes the command right after the reader, and that ends the lease.
    private static DbDataReader ForProvider(CommandExecutedEventData eventData, DbDataReader result)
        => eventData.CommandSource == CommandSource.SaveChanges && result is LogicalDataReader logical ? logical.Detach() : result;

    private static void NoteMigration(DbCommand command, CommandExecutedEventData eventData)
    {
        if (eventData.CommandSource == CommandSource.Migrations && command is LogicalCommand { Connection: { } connection })
        {
            connection.HasMigrated = true;
        }
    }

    private sealed class NoInterceptor : IInterceptor
    {
        public static readonly NoInterceptor Instance = new();
    }
}
