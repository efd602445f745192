using System.Transactions;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Migrations;

/// <summary>
/// Runs an application's own database creator, which replaced <see cref="PooledDatabaseCreator"/>, outside the pool. It most
/// likely derives from the provider's, and may do anything in any member. If the application has not overridden EnsureCreated and
/// EnsureDeleted, EF Core's run; otherwise the application's, as a whole.
/// </summary>
/// <remarks>
/// A context with declared settings is the exception: everything that may write its rows runs on the pool, because only the pool
/// has those settings. Only creating and dropping the database itself, where there are no rows, is outside it.
/// </remarks>
internal sealed class ReplacedDatabaseCreator(RelationalDatabaseCreatorDependencies dependencies, IRelationalDatabaseCreator inner) : PooledDatabaseCreator(dependencies, inner)
{
    public override bool EnsureCreated()
    {
        if (IsEntityFrameworks(Inner.EnsureCreated))
        {
            return base.EnsureCreated();
        }

        if (StaysOnPool)
        {
            using (OutsideTransactions())
            {
                if (!IsOpen && !Exists())
                {
                    Create();
                }
            }

            return Inner.EnsureCreated() && Reload();
        }

        var scope = IsAllThere() ? UnpooledScope.EnterToLook(Context) : UnpooledScope.Enter(Context);
        using (scope)
        {
            if (!Inner.EnsureCreated())
            {
                scope?.FoundAllThere();
                return false;
            }
        }

        scope?.ReloadTypes();
        return true;
    }

    public override async Task<bool> EnsureCreatedAsync(CancellationToken cancellationToken = default)
    {
        if (IsEntityFrameworks(Inner.EnsureCreatedAsync))
        {
            return await base.EnsureCreatedAsync(cancellationToken).ConfigureAwait(false);
        }

        if (StaysOnPool)
        {
            using (OutsideTransactions())
            {
                if (!IsOpen && !await ExistsAsync(cancellationToken).ConfigureAwait(false))
                {
                    await CreateAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            return await Inner.EnsureCreatedAsync(cancellationToken).ConfigureAwait(false) && await ReloadAsync(cancellationToken).ConfigureAwait(false);
        }

        var scope = await IsAllThereAsync(cancellationToken).ConfigureAwait(false) ? UnpooledScope.EnterToLook(Context) : UnpooledScope.Enter(Context);
        using (scope)
        {
            if (!await Inner.EnsureCreatedAsync(cancellationToken).ConfigureAwait(false))
            {
                scope?.FoundAllThere();
                return false;
            }
        }

        await (scope?.ReloadTypesAsync(cancellationToken) ?? Task.CompletedTask).ConfigureAwait(false);
        return true;
    }

    public override bool EnsureDeleted()
    {
        if (IsEntityFrameworks(Inner.EnsureDeleted))
        {
            return base.EnsureDeleted();
        }

        LetGo();
        Close();
        try
        {
            using var scope = UnpooledScope.Enter(Context);
            return Inner.EnsureDeleted();
        }
        finally
        {
            LetGo(isDropped: true);
        }
    }

    public override async Task<bool> EnsureDeletedAsync(CancellationToken cancellationToken = default)
    {
        if (IsEntityFrameworks(Inner.EnsureDeletedAsync))
        {
            return await base.EnsureDeletedAsync(cancellationToken).ConfigureAwait(false);
        }

        LetGo();
        Close();
        try
        {
            using var scope = UnpooledScope.Enter(Context);
            return await Inner.EnsureDeletedAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            LetGo(isDropped: true);
        }
    }

    public override void Delete()
    {
        Close();
        base.Delete();
    }

    public override async Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        Close();
        await base.DeleteAsync(cancellationToken).ConfigureAwait(false);
    }

    public override void CreateTables()
    {
        if (StaysOnPool)
        {
            Inner.CreateTables();
            Reload();
            return;
        }

        base.CreateTables();
    }

    public override async Task CreateTablesAsync(CancellationToken cancellationToken = default)
    {
        if (StaysOnPool)
        {
            await Inner.CreateTablesAsync(cancellationToken).ConfigureAwait(false);
            await ReloadAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        await base.CreateTablesAsync(cancellationToken).ConfigureAwait(false);
    }

    // EF Core refuses to change an open connection, so an open context continues on its connection.
    private bool StaysOnPool => IsOpen || !PoolResolver.DeclaredBy(Context).IsEmpty;

    // The delegate's method is the one that would run, however it was overridden or implemented.
    private static bool IsEntityFrameworks(Delegate member) => member.Method.DeclaringType == typeof(RelationalDatabaseCreator);

    private static TransactionScope OutsideTransactions() => new(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);

    private bool IsAllThere()
    {
        using var _ = OutsideTransactions();
        return Exists() && HasTables();
    }

    private async Task<bool> IsAllThereAsync(CancellationToken cancellationToken)
    {
        using var _ = OutsideTransactions();
        return await ExistsAsync(cancellationToken).ConfigureAwait(false) && await HasTablesAsync(cancellationToken).ConfigureAwait(false);
    }

    // The application's creator runs outside the pool only with a closed connection, and the database of the open one is about to
    // be dropped.
    private void Close()
    {
        if (!IsOpen)
        {
            return;
        }

        if (Dependencies.Connection.CurrentTransaction is not null)
        {
            throw new InvalidOperationException(
                $"The database is not dropped: {Context.GetType().Name} has a transaction, which would be lost, and {Inner.GetType().Name} drops it outside the pool, for which the connection must be closed. Commit or roll back the transaction before.");
        }

        UnpooledScope.Close(Dependencies.Connection);
    }

    private bool Reload()
    {
        UnpooledScope.ReloadTypes(Context);
        return true;
    }

    private async Task<bool> ReloadAsync(CancellationToken cancellationToken)
    {
        await UnpooledScope.ReloadTypesAsync(Context, cancellationToken).ConfigureAwait(false);
        return true;
    }
}
