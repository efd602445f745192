using System.Data.Common;

namespace EfPooling.EntityFrameworkCore.Infrastructure;

/// <summary>Where a context connects to: a connection string, a data source, or neither, which leaves it to the application's services.</summary>
internal readonly record struct ConnectionTarget(string? ConnectionString, DbDataSource? DataSource)
{
    /// <summary>Nothing, because the connection string contains the password.</summary>
    public override string ToString() => nameof(ConnectionTarget);
}
