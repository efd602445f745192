using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Migrations;

/// <summary>Runs the provider's database creator outside the pool where it creates or drops; asks through the pool where it asks.</summary>
internal sealed class PooledDatabaseCreator(RelationalDatabaseCreatorDependencies dependencies, IRelationalDatabaseCreator inner)
    : RelationalDatabaseCreator(dependencies)
{
    public override bool Exists() => inner.Exists();

    public override Task<bool> ExistsAsync(CancellationToken cancellationToken = default) => inner.ExistsAsync(cancellationToken);

    public override bool HasTables() => inner.HasTables();

    public override Task<bool> HasTablesAsync(CancellationToken cancellationToken = default) => inner.HasTablesAsync(cancellationToken);

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
        using (Unpooled())
        {
            inner.Delete();
        }
    }

    public override async Task DeleteAsync(CancellationToken cancellationToken = default)
    {
        using (Unpooled())
        {
            await inner.DeleteAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override bool EnsureDeleted()
    {
        using (Unpooled())
        {
            return inner.EnsureDeleted();
        }
    }

    public override async Task<bool> EnsureDeletedAsync(CancellationToken cancellationToken = default)
    {
        using (Unpooled())
        {
            return await inner.EnsureDeletedAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override void CreateTables()
    {
        var scope = Unpooled();
        using (scope)
        {
            inner.CreateTables();
        }

        scope?.ReloadTypes();
    }

    public override async Task CreateTablesAsync(CancellationToken cancellationToken = default)
    {
        var scope = Unpooled();
        using (scope)
        {
            await inner.CreateTablesAsync(cancellationToken).ConfigureAwait(false);
        }

        await ReloadAsync(scope, cancellationToken).ConfigureAwait(false);
    }

    public override bool EnsureCreated()
    {
        bool created;
        var scope = Unpooled();
        using (scope)
        {
            created = inner.EnsureCreated();
        }

        if (created)
        {
            scope?.ReloadTypes();
        }

        return created;
    }

    public override async Task<bool> EnsureCreatedAsync(CancellationToken cancellationToken = default)
    {
        bool created;
        var scope = Unpooled();
        using (scope)
        {
            created = await inner.EnsureCreatedAsync(cancellationToken).ConfigureAwait(false);
        }

        if (created)
        {
            await ReloadAsync(scope, cancellationToken).ConfigureAwait(false);
        }

        return created;
    }

    private UnpooledScope? Unpooled() => UnpooledScope.Enter(Dependencies.CurrentContext.Context);

    private static Task ReloadAsync(UnpooledScope? scope, CancellationToken cancellationToken)
        => scope?.ReloadTypesAsync(cancellationToken) ?? Task.CompletedTask;
}
