using EfPooling.AdoNet;
using EfPooling.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfPooling.EntityFrameworkCore.Migrations;

/// <summary>
/// A context without a model and without a pool to the same database. The provider uses it for work on a connection of its own
/// type while the connection of the user's context is open and cannot be changed.
/// </summary>
internal static class ContextBeside
{
    public static DbContext Create(DbContext context)
    {
        var pool = ((LogicalConnection)context.GetService<IRelationalConnection>().DbConnection).Pool!;
        return new DbContext(new DbContextOptionsBuilder().UseNpgsql(pool.Unpooled, provider => ProviderOptions.CopyServer(context, provider)).Options);
    }
}
