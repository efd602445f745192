using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Migrations;

/// <summary>
/// A context without a model and without a pool to the same database, for what the provider does on a connection of its own type while the
/// connection of the user's context is open, which cannot be changed then.
/// </summary>
internal static class ContextBeside
{
    public static DbContext Create(DbContext context)
    {
        var pool = ((LogicalConnection)context.GetService<IRelationalConnection>().DbConnection).Pool!;
        return new DbContext(new DbContextOptionsBuilder().UseNpgsql(pool.Unpooled, provider => ProviderOptions.CopyServer(context, provider)).Options);
    }
}
