using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Commands;

/// <summary>Makes all commands of EF Core <see cref="PooledCommand"/>s.</summary>
internal sealed class PooledCommandBuilderFactory(RelationalCommandBuilderDependencies dependencies) : RelationalCommandBuilderFactory(dependencies)
{
    public override IRelationalCommandBuilder Create() => new PooledCommandBuilder(Dependencies);

    private sealed class PooledCommandBuilder(RelationalCommandBuilderDependencies dependencies) : RelationalCommandBuilder(dependencies)
    {
        public override IRelationalCommand Build() => new PooledCommand(Dependencies, base.Build());
    }
}
