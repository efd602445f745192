using System.Data.Common;
using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Commands;

/// <summary>
/// A command of EF Core that runs on a logical connection, with the session settings that its context declares, even if the user
/// made the connection. Questions of EF Core whether a database, its tables or migrations exist run without them, because they
/// belong to no tenant. SaveChanges gets Npgsql's own reader, to which the provider casts. EF Core disposes the command right
/// after the reader, and that ends the lease.
/// </summary>
/// <remarks>
/// An interceptor of commands could do the same. But with any such interceptor, EF Core creates event objects and identifiers for
/// every command, which costs a fifth of the throughput of small reads.
/// </remarks>
internal sealed class PooledCommand(RelationalCommandBuilderDependencies dependencies, IRelationalCommandTemplate template)
    : RelationalCommand(dependencies, template.CommandText, template.LogCommandText, template.Parameters), ICommandUser
{
    private DbContext? _context; // the context it runs for now
    private CommandSource _source; // the purpose it runs for now

    bool ICommandUser.WantsSettings => _source != CommandSource.Migrations;

    public override DbCommand CreateDbCommand(RelationalCommandParameterObject parameterObject, Guid commandId, DbCommandMethod commandMethod)
    {
        var command = base.CreateDbCommand(parameterObject, commandId, commandMethod);
        (_context, _source) = (parameterObject.Context, parameterObject.CommandSource);
        if (command is LogicalCommand logical)
        {
            _source = logical.Connection is { IsProbing: true } ? CommandSource.Migrations : _source;
            logical.User = this;
        }

        return command;
    }

    protected override RelationalDataReader CreateRelationalDataReader() => new Reader(this);

    // The user's own connection, or that of another context, has settings of its own. An interceptor may just have put the
    // command on it.
    void ICommandUser.Admit(IConnectionHost connection)
    {
        if (_source == CommandSource.Migrations || _context is not { } context || ReferenceEquals(connection.Owner, context))
        {
            return;
        }

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
            => base.Initialize(relationalConnection, dbCommand, command._source == CommandSource.SaveChanges && reader is LogicalDataReader logical ? logical.Detach() : reader, commandId, logger);
    }
}
