using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;

namespace EfPooling.EntityFrameworkCore.Commands;

/// <summary>
/// Reports an unknown outcome if the connection breaks while SaveChanges reads its answers outside a transaction. It reads them
/// from Npgsql's own reader, whose errors are Npgsql's. An execution strategy would take them for a reason to write again.
/// </summary>
internal sealed class PooledBatchExecutor(IBatchExecutor inner) : IBatchExecutor
{
    public int Execute(IEnumerable<ModificationCommandBatch> commandBatches, IRelationalConnection connection)
    {
        Forget(connection);
        try
        {
            return inner.Execute(commandBatches, connection);
        }
        catch (Exception e) when (IsOutcomeUnknown(connection, e))
        {
            throw Unknown(e);
        }
    }

    public async Task<int> ExecuteAsync(IEnumerable<ModificationCommandBatch> commandBatches, IRelationalConnection connection, CancellationToken cancellationToken = default)
    {
        Forget(connection);
        try
        {
            return await inner.ExecuteAsync(commandBatches, connection, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsOutcomeUnknown(connection, e))
        {
            throw Unknown(e);
        }
    }

    private static void Forget(IRelationalConnection connection)
    {
        if (connection.DbConnection is LogicalConnection pooled)
        {
            pooled.HasLostAnswer = false;
        }
    }

    private static bool IsOutcomeUnknown(IRelationalConnection connection, Exception error)
        => error is not OperationCanceledException && error.InnerException is not CommitOutcomeUnknownException && connection.DbConnection is LogicalConnection { HasLostAnswer: true };

    // As EF Core wraps the error if it waits for the first answer.
    private static Exception Unknown(Exception error) => error is DbUpdateException update
        ? new DbUpdateException(update.Message, CommitOutcomeUnknownException.OfStatement(update.InnerException ?? update), update.Entries)
        : CommitOutcomeUnknownException.OfStatement(error);
}
