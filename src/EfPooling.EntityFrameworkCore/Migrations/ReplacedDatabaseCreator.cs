using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Migrations;

/// <summary>
/// Runs an application's own database creator, which it put in place of <see cref="PooledDatabaseCreator"/> with <c>ReplaceService</c>, outside the pool: it is most likely derived from the
/// provider's, and may do anything in any member. What EnsureCreated and EnsureDeleted do is the application's.
/// </summary>
internal sealed class ReplacedDatabaseCreator(ICurrentDbContext currentContext, IRelationalDatabaseCreator inner) : IRelationalDatabaseCreator
{
    public bool EnsureDeleted() => Drop(inner.EnsureDeleted);

    public Task<bool> EnsureDeletedAsync(CancellationToken cancellationToken = default) => DropAsync(() => inner.EnsureDeletedAsync(cancellationToken));

    public bool EnsureCreated() => Make(inner.EnsureCreated);

    public Task<bool> EnsureCreatedAsync(CancellationToken cancellationToken = default) => MakeAsync(() => inner.EnsureCreatedAsync(cancellationToken), cancellationToken);

    public bool CanConnect() => inner.CanConnect();

    public Task<bool> CanConnectAsync(CancellationToken cancellationToken = default) => inner.CanConnectAsync(cancellationToken);

    public bool Exists() => inner.Exists();

    public Task<bool> ExistsAsync(CancellationToken cancellationToken = default) => inner.ExistsAsync(cancellationToken);

    public bool HasTables() => inner.HasTables();

    public Task<bool> HasTablesAsync(CancellationToken cancellationToken = default) => inner.HasTablesAsync(cancellationToken);

    public void Create()
        => Make(() =>
        {
            inner.Create();
            return true;
        });

    public Task CreateAsync(CancellationToken cancellationToken = default)
        => MakeAsync(
            async () =>
            {
                await inner.CreateAsync(cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    public void Delete()
        => Drop(() =>
        {
            inner.Delete();
            return true;
        });

    public Task DeleteAsync(CancellationToken cancellationToken = default)
        => DropAsync(async () =>
        {
            await inner.DeleteAsync(cancellationToken).ConfigureAwait(false);
            return true;
        });

    public void CreateTables()
        => Make(() =>
        {
            inner.CreateTables();
            return true;
        });

    public Task CreateTablesAsync(CancellationToken cancellationToken = default)
        => MakeAsync(
            async () =>
            {
                await inner.CreateTablesAsync(cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    public string GenerateCreateScript() => inner.GenerateCreateScript();

    private DbContext Context => currentContext.Context;

    private bool Make(Func<bool> act)
    {
        var scope = UnpooledScope.Enter(Context);
        bool result;
        using (scope)
        {
            result = act();
        }

        if (result)
        {
            scope?.ReloadTypes();
        }

        return result;
    }

    private async Task<bool> MakeAsync(Func<Task<bool>> act, CancellationToken cancellationToken)
    {
        var scope = UnpooledScope.Enter(Context);
        bool result;
        using (scope)
        {
            result = await act().ConfigureAwait(false);
        }

        if (result && scope is not null)
        {
            await scope.ReloadTypesAsync(cancellationToken).ConfigureAwait(false);
        }

        return result;
    }

    private bool Drop(Func<bool> act)
    {
        LetGo();
        using (UnpooledScope.Enter(Context))
        {
            return act();
        }
    }

    private async Task<bool> DropAsync(Func<Task<bool>> act)
    {
        LetGo();
        using (UnpooledScope.Enter(Context))
        {
            return await act().ConfigureAwait(false);
        }
    }

    private void LetGo() => PoolRegistry.LetGo(Context.GetService<IRelationalConnection>());
}
