using System.Data;
using EfPooling.AdoNet;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Migrations;

/// <summary>
/// Records that migrations have run on a pooled connection, as those of an application's own <see cref="IMigrator"/> do, and
/// those on an open connection. The pool learns the new types when the connection is closed
/// (<see cref="Interceptors.PooledConnectionInterceptor"/>). Before that, a transaction may hide them.
/// </summary>
internal sealed class PooledMigrationCommandExecutor(IMigrationCommandExecutor inner) : IMigrationCommandExecutor
{
    public void ExecuteNonQuery(IEnumerable<MigrationCommand> migrationCommands, IRelationalConnection connection)
    {
        Note(connection);
        inner.ExecuteNonQuery(migrationCommands, connection);
    }

    public int ExecuteNonQuery(
        IReadOnlyList<MigrationCommand> migrationCommands,
        IRelationalConnection connection,
        MigrationExecutionState executionState,
        bool commitTransaction,
        IsolationLevel? isolationLevel = null)
    {
        Note(connection);
        return inner.ExecuteNonQuery(migrationCommands, connection, executionState, commitTransaction, isolationLevel);
    }

    public Task ExecuteNonQueryAsync(IEnumerable<MigrationCommand> migrationCommands, IRelationalConnection connection, CancellationToken cancellationToken = default)
    {
        Note(connection);
        return inner.ExecuteNonQueryAsync(migrationCommands, connection, cancellationToken);
    }

    public Task<int> ExecuteNonQueryAsync(
        IReadOnlyList<MigrationCommand> migrationCommands,
        IRelationalConnection connection,
        MigrationExecutionState executionState,
        bool commitTransaction,
        IsolationLevel? isolationLevel = null,
        CancellationToken cancellationToken = default)
    {
        Note(connection);
        return inner.ExecuteNonQueryAsync(migrationCommands, connection, executionState, commitTransaction, isolationLevel, cancellationToken);
    }

    private static void Note(IRelationalConnection connection)
    {
        if (connection.DbConnection is LogicalConnection logical)
        {
            logical.HasMigrated = true;
        }
    }
}
