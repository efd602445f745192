using System.Data.Common;
using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Commands;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace EfPooling.EntityFrameworkCore.Interceptors;

/// <summary>
/// Does for commands that are not <see cref="PooledCommand"/>s what pooling requires: gives SaveChanges Npgsql's own reader, to
/// which the provider casts, and records that migrations have run. Such commands occur in a context with an application's own
/// internal service provider or <see cref="IRelationalCommandBuilderFactory"/>. Declared session settings of the context require
/// more and are refused there, whatever its connection.
/// </summary>
internal sealed class ForeignCommandInterceptor : DbCommandInterceptor
{
    public static readonly ForeignCommandInterceptor Instance = new();

    /// <summary>This interceptor, or one that intercepts nothing if commands are ours. For EF Core's internal services.</summary>
    public static IInterceptor IfNeeded(IServiceProvider services)
        => services.GetRequiredService<IRelationalCommandBuilderFactory>() is PooledCommandBuilderFactory ? NoInterceptor.Instance : Instance;

    public override DbCommand CommandCreated(CommandEndEventData eventData, DbCommand result)
    {
        if (result is LogicalCommand command)
        {
            if (eventData.CommandSource == CommandSource.Migrations || command.Connection is { IsProbing: true })
            {
                command.User = WithoutSettings.Instance;
            }
            else if (eventData.Context is { } context && !PoolResolver.DeclaredBy(context).IsEmpty)
            {
                throw new InvalidOperationException(TransactionPoolingOptionsExtension.ForeignCommands);
            }
        }

        return result;
    }

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

    // For questions whether a database, its tables or migrations exist, which belong to no tenant.
    private sealed class WithoutSettings : ICommandUser
    {
        public static readonly WithoutSettings Instance = new();

        public bool WantsSettings => false;

        public void Admit(IConnectionHost connection)
        {
        }
    }

    private sealed class NoInterceptor : IInterceptor
    {
        public static readonly NoInterceptor Instance = new();
    }
}
