using System.Data;
using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Migrations;

/// <summary>
/// Runs the provider's database creator outside the pool to create or drop, and through the pool to ask. So an EnsureCreated that
/// finds everything in place costs no login. What EnsureCreated and EnsureDeleted do with these members is EF Core's own.
/// </summary>
internal class PooledDatabaseCreator(RelationalDatabaseCreatorDependencies dependencies, IRelationalDatabaseCreator inner)
    : RelationalDatabaseCreator(dependencies)
{
    protected IRelationalDatabaseCreator Inner => inner;

    protected DbContext Context => Dependencies.CurrentContext.Context;

    protected bool IsOpen => Dependencies.Connection.DbConnection is LogicalConnection { State: ConnectionState.Open };

    public override bool Exists() => inner.Exists();

    public override Task<bool> ExistsAsync(CancellationToken cancellationToken = default) => inner.ExistsAsync(cancellationToken);

    public override bool HasTables()
    {
        var connection = Dependencies.Connection.DbConnection as LogicalConnection;
        SetProbing(connection, isProbing: true);
        try
        {
            return inner.HasTables();
        }
        finally
        {
            SetProbing(connection, isProbing: false);
        }
    }

    public override async Task<bool> HasTablesAsync(CancellationToken cancellationToken = default)
    {
        var connection = Dependencies.Connection.DbConnection as LogicalConnection;
        SetProbing(connection, isProbing: true);
        try
        {
            return await inner.HasTablesAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            SetProbing(connection, isProbing: false);
        }
    }

    public override bool CanConnect() => inner.CanConnect();

    public override Task<bool> CanConnectAsync(CancellationToken cancellationToken = default) => inner.CanConnectAsync(cancellationToken);

    public override string GenerateCreateScript() => inner.GenerateCreateScript();

    public override void Create()
    {
        using (Unpooled())
        {
            inner.Create();
        }
    }

    public override async Task CreateAsync(CancellationToken cancellationToken = default)
    {
        using (Unpooled())
        {
            await inner.CreateAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override void Delete()
    {
        LetGo();
        try
        {
            if (IsOpen)
            {
                using var beside = ContextBeside.Create(Context);
                beside.GetService<IRelationalDatabaseCreator>().Delete();
            }
            else
            {
                using var scope = Unpooled();
                inner.Delete();
            }
        }
        finally
        {
            LetGo(isDropped: true);
        }
    }

    public override async Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        LetGo();
        try
        {
            if (IsOpen)
            {
                var beside = ContextBeside.Create(Context);
                await using (beside.ConfigureAwait(false))
                {
                    await beside.GetService<IRelationalDatabaseCreator>().DeleteAsync(cancellationToken).ConfigureAwait(false);
                }
            }
            else
            {
                using var scope = Unpooled();
                await inner.DeleteAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            LetGo(isDropped: true);
        }
    }

    public override void CreateTables()
    {
        if (IsOpen)
        {
            base.CreateTables(); // On the present connection, perhaps in its transaction. EF Core refuses to change an open connection.
            UnpooledScope.ReloadTypes(Context);
            return;
        }

        var scope = Unpooled();
        using (scope)
        {
            inner.CreateTables();
        }

        scope?.ReloadTypes();
    }

    public override async Task CreateTablesAsync(CancellationToken cancellationToken = default)
    {
        if (IsOpen)
        {
            await base.CreateTablesAsync(cancellationToken).ConfigureAwait(false);
            await UnpooledScope.ReloadTypesAsync(Context, cancellationToken).ConfigureAwait(false);
            return;
        }

        var scope = Unpooled();
        using (scope)
        {
            await inner.CreateTablesAsync(cancellationToken).ConfigureAwait(false);
        }

        await ReloadAsync(scope, cancellationToken).ConfigureAwait(false);
    }

    private UnpooledScope? Unpooled() => UnpooledScope.Enter(Context);

    // Before the tables exist, there is no tenant. The provider does not mark this command as one of its own.
    private static void SetProbing(LogicalConnection? connection, bool isProbing)
    {
        if (connection is not null)
        {
            connection.IsProbing = isProbing;
        }
    }

    protected void LetGo(bool isDropped = false) => PoolRegistry.LetGo(Dependencies.Connection, isDropped);

    private static Task ReloadAsync(UnpooledScope? scope, CancellationToken cancellationToken)
        => scope?.ReloadTypesAsync(cancellationToken) ?? Task.CompletedTask;
}
