using System.Data;
using System.Data.Common;
using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Migrations;

/// <summary>
/// Gives a context a plain Npgsql connection, without a pool, to create, drop and migrate databases: the provider requires its
/// own type there. Disposal returns the context to its pool and replaces all server connections of that pool. It also closes a
/// connection left open in the scope, and rolls its transaction back, because the application's code may run in the scope and may
/// throw.
/// </summary>
internal sealed class UnpooledScope : IDisposable
{
    private readonly DbContext _context;
    private readonly IRelationalConnection _connection;
    private readonly TransactionPoolingDataSource _pool;
    private readonly LogicalConnection? _usersConnection;

    private readonly bool _looks;
    private bool _changesNothing; // written by the flow in the scope

    private UnpooledScope(DbContext context, IRelationalConnection connection, TransactionPoolingDataSource pool, LogicalConnection? usersConnection, bool looks)
    {
        (_context, _connection, _pool, _usersConnection, _looks) = (context, connection, pool, usersConnection, looks);
        Use(pool.Unpooled, pool.Unpooled.CreateConnection(), isOwned: true);
        if (!looks)
        {
            pool.Clear(); // No session may use a database that is about to be dropped.
        }
    }

    /// <returns><c>null</c> if the context has left its pool already, or has none, or its connection is open.</returns>
    public static UnpooledScope? Enter(DbContext context) => Enter(context, looks: false);

    /// <summary>
    /// For work that will most likely find nothing to do. The pool keeps its connections for now, and <see cref="FoundAllThere"/>
    /// lets it keep them for good.
    /// </summary>
    /// <inheritdoc cref="Enter(DbContext)" path="/returns"/>
    public static UnpooledScope? EnterToLook(DbContext context) => Enter(context, looks: true);

    /// <summary>
    /// Records that nothing was created or dropped, so that the end of the scope need not replace the pool's server connections.
    /// </summary>
    public void FoundAllThere() => _changesNothing = _looks;

    private static UnpooledScope? Enter(DbContext context, bool looks)
    {
        var options = context.GetService<IDbContextOptions>();
        var connection = context.GetService<IRelationalConnection>();
        if (connection.DbConnection is not LogicalConnection { Pool: { } pool } current)
        {
            return null;
        }

        if (current.State != ConnectionState.Closed)
        {
            return null; // EF Core refuses to change it, so an open context continues on its connection.
        }

        var isUsers = ReferenceEquals(RelationalOptionsExtension.Extract(options).Connection, current);
        return new UnpooledScope(context, connection, pool, isUsers ? current : null, looks);
    }

    /// <summary>Closes a context's connection however often it was opened, which rolls back an open transaction.</summary>
    public static void Close(IRelationalConnection connection)
    {
        var timeout = connection.CommandTimeout;
        connection.DbConnection.Close(); // First, so that a transaction has nothing left to send to a server that may be gone.
        connection.ResetState(); // EF Core counts the opens, and would otherwise keep counting.
        connection.CommandTimeout = timeout;
    }

    public void Dispose()
    {
        Close(_connection); // EF Core refuses to change an open connection.
        Use(_pool, _usersConnection ?? PoolResolver.CreateConnection(_context, _pool), isOwned: _usersConnection is null);
        if (!_changesNothing)
        {
            _pool.Clear();
        }
    }

    private void Use(DbDataSource source, DbConnection connection, bool isOwned)
    {
        var timeout = _connection.CommandTimeout; // SetCommandTimeout before a long migration; a new connection loses it.
        _context.Database.SetDbDataSource(source);
        _connection.SetDbConnection(connection, isOwned);
        _connection.CommandTimeout = timeout;
    }

    /// <summary>
    /// Makes the pool learn types that were created in the scope. A pool that never had a connection learns them with its first
    /// one.
    /// </summary>
    public void ReloadTypes()
    {
        if (_pool.ServerVersion is not null)
        {
            _pool.ReloadTypes();
        }
    }

    /// <inheritdoc cref="ReloadTypes()"/>
    public Task ReloadTypesAsync(CancellationToken cancellationToken)
        => _pool.ServerVersion is null ? Task.CompletedTask : _pool.ReloadTypesAsync(cancellationToken);

    /// <summary>
    /// The same for a context whose connection was open all the time. In a transaction, no other caller can see the types yet.
    /// </summary>
    public static void ReloadTypes(DbContext context)
    {
        if (FindPool(context) is { } pool)
        {
            pool.ReloadTypes();
        }
    }

    /// <inheritdoc cref="ReloadTypes(DbContext)"/>
    public static Task ReloadTypesAsync(DbContext context, CancellationToken cancellationToken)
        => FindPool(context)?.ReloadTypesAsync(cancellationToken) ?? Task.CompletedTask;

    private static TransactionPoolingDataSource? FindPool(DbContext context)
    {
        if (context.Database.CurrentTransaction is not null || context.GetService<IRelationalConnection>().DbConnection is not LogicalConnection { Pool: { } pool } connection)
        {
            return null;
        }

        connection.HasMigrated = false;
        return pool;
    }
}
