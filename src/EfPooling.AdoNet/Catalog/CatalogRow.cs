using System.Data.Common;

namespace EfPooling.AdoNet.Sql;

/// <summary>A row of <see cref="CatalogQuery.Objects"/>.</summary>
/// <param name="Kind">What the row says.</param>
/// <param name="Id">The object's id.</param>
/// <param name="Other">The id of another object.</param>
/// <param name="Schema">The object's schema.</param>
/// <param name="Name">The object's name, or several names.</param>
/// <param name="Text">A definition.</param>
/// <param name="Flags">See the query.</param>
internal readonly record struct CatalogRow(string Kind, uint Id, uint Other, string? Schema, string? Name, string? Text, int Flags)
{
    public static CatalogRow Read(DbDataReader row)
        => new(
            row.GetString(0),
            row.GetFieldValue<uint>(1),
            row.GetFieldValue<uint>(2),
            row.IsDBNull(3) ? null : row.GetString(3),
            row.IsDBNull(4) ? null : row.GetString(4),
            row.IsDBNull(5) ? null : row.GetString(5),
            row.GetInt32(6));

    /// <summary>The names in <see cref="Name"/>.</summary>
    public string[] Names => Name?.Split(' ') ?? [];

    /// <summary>The names or ids in <see cref="Text"/>.</summary>
    public string[] Texts => Text?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
}
