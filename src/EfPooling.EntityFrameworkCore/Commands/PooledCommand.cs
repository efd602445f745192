using System.Data.Common;
using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Commands;

/// <summary>
/// A command of EF Core that runs on a logical connection: with the session settings that its context declares, also if the user made the connection; and
/// without them where EF Core asks whether a database, its tables or migrations are there, for which nobody is anybody's tenant. SaveChanges gets
/// Npgsql's own reader, to which the provider casts: EF Core disposes the command right after the reader, and that ends the lease.
/// </summary>
/// <remarks>
/// An interceptor of commands could do the same. But as soon as there is one, EF Core creates event objects and identifiers for every command, which costs
/// a fifth of the throughput of small reads.
/// </remarks>
internal sealed class PooledCommand(RelationalCommandBuilderDependencies dependencies, IRelationalCommandTemplate template)
    : RelationalCommand(dependencies, template.CommandText, template.LogCommandText, template.Parameters)
{
    private bool _isSaving; // as which it runs

    public override int ExecuteNonQuery(RelationalCommandParameterObject parameterObject)
    {
        Prepare(parameterObject);
        return base.ExecuteNonQuery(parameterObject);
    }

    public override Task<int> ExecuteNonQueryAsync(RelationalCommandParameterObject parameterObject, CancellationToken cancellationToken = default)
    {
        Prepare(parameterObject);
        return base.ExecuteNonQueryAsync(parameterObject, cancellationToken);
    }

    public override object? ExecuteScalar(RelationalCommandParameterObject parameterObject)
    {
        Prepare(parameterObject);
        return base.ExecuteScalar(parameterObject);
    }

    public override Task<object?> ExecuteScalarAsync(RelationalCommandParameterObject parameterObject, CancellationToken cancellationToken = default)
    {
        Prepare(parameterObject);
        return base.ExecuteScalarAsync(parameterObject, cancellationToken);
    }

    public override RelationalDataReader ExecuteReader(RelationalCommandParameterObject parameterObject)
    {
        Prepare(parameterObject);
        return base.ExecuteReader(parameterObject);
    }

    public override Task<RelationalDataReader> ExecuteReaderAsync(RelationalCommandParameterObject parameterObject, CancellationToken cancellationToken = default)
    {
        Prepare(parameterObject);
        return base.ExecuteReaderAsync(parameterObject, cancellationToken);
    }

    public override DbCommand CreateDbCommand(RelationalCommandParameterObject parameterObject, Guid commandId, DbCommandMethod commandMethod)
    {
        var command = base.CreateDbCommand(parameterObject, commandId, commandMethod);
        if (parameterObject.CommandSource == CommandSource.Migrations && command is LogicalCommand logical)
        {
            logical.IsPlain = true;
        }

        return command;
    }

    protected override RelationalDataReader CreateRelationalDataReader() => new Reader(this);

    // Before EF Core opens the connection, so that nothing is left open if it throws.
    private void Prepare(RelationalCommandParameterObject parameterObject)
    {
        _isSaving = parameterObject.CommandSource == CommandSource.SaveChanges;
        if (parameterObject.CommandSource != CommandSource.Migrations
            && parameterObject.Context is { } context
            && parameterObject.Connection.DbConnection is LogicalConnection connection
            && !ReferenceEquals(connection.Owner, context))
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

    private sealed class Reader(PooledCommand command) : RelationalDataReader
    {
        public override void Initialize(
            IRelationalConnection relationalConnection, DbCommand dbCommand, DbDataReader reader, Guid commandId, IRelationalCommandDiagnosticsLogger? logger)
            => base.Initialize(relationalConnection, dbCommand, command._isSaving && reader is LogicalDataReader logical ? logical.Detach() : reader, commandId, logger);
    }
}
