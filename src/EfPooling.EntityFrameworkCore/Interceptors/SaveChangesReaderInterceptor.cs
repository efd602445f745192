using System.Data.Common;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfPooling.EntityFrameworkCore.Interceptors;

/// <summary>
/// Gives SaveChanges Npgsql's own reader, to which the provider casts. EF Core disposes the command right after the reader, and that
/// ends the lease.
/// </summary>
internal sealed class SaveChangesReaderInterceptor : DbCommandInterceptor
{
    public static readonly SaveChangesReaderInterceptor Instance = new();

    public override DbDataReader ReaderExecuted(DbCommand command, CommandExecutedEventData eventData, DbDataReader result)
        => Unwrap(eventData, result);

    public override ValueTask<DbDataReader> ReaderExecutedAsync(
        DbCommand command, CommandExecutedEventData eventData, DbDataReader result, CancellationToken cancellationToken = default)
        => new(Unwrap(eventData, result));

    private static DbDataReader Unwrap(CommandExecutedEventData eventData, DbDataReader result)
        => eventData.CommandSource == CommandSource.SaveChanges && result is LogicalDataReader logical ? logical.Detach() : result;
}
