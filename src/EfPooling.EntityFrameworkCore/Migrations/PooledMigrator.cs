using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EfPooling.EntityFrameworkCore.Migrations;

/// <summary>Runs the provider's migrator outside the pool, then makes the pool learn new types.</summary>
internal sealed class PooledMigrator(ICurrentDbContext currentContext, IMigrator inner) : IMigrator
{
    public void Migrate(string? targetMigration = null)
    {
        var scope = UnpooledScope.Enter(currentContext.Context);
        using (scope)
        {
            inner.Migrate(targetMigration);
        }

        if (scope is not null)
        {
            scope.ReloadTypes();
        }
        else
        {
            UnpooledScope.ReloadTypes(currentContext.Context);
        }
    }

    public async Task MigrateAsync(string? targetMigration = null, CancellationToken cancellationToken = default)
    {
        var scope = UnpooledScope.Enter(currentContext.Context);
        using (scope)
        {
            await inner.MigrateAsync(targetMigration, cancellationToken).ConfigureAwait(false);
        }

        await (scope?.ReloadTypesAsync(cancellationToken) ?? UnpooledScope.ReloadTypesAsync(currentContext.Context, cancellationToken)).ConfigureAwait(false);
    }

    public string GenerateScript(
        string? fromMigration = null, string? toMigration = null, MigrationsSqlGenerationOptions options = MigrationsSqlGenerationOptions.Default)
        => inner.GenerateScript(fromMigration, toMigration, options);

    public bool HasPendingModelChanges() => inner.HasPendingModelChanges();
}
