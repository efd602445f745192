using System.Data.Common;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>
/// The target of a context: a connection string, a data source, or neither, which leaves it to the application's services.
/// </summary>
internal readonly record struct ConnectionTarget(string? ConnectionString, DbDataSource? DataSource)
{
    /// <summary>Only the type's name, because the connection string contains the password.</summary>
    public override string ToString() => nameof(ConnectionTarget);
}
