namespace EfPooling.AdoNet.Sql;

/// <summary>
/// What a catalog knows of one name: all overloads of a function, or a relation or domain. Written while the catalog loads, then read only.
/// </summary>
internal sealed class CatalogObject
{
    private HashSet<CatalogObject>? _uses; // written before publication

    /// <summary>Not repeatable, or able to change data: volatile functions, foreign tables, the server's own views.</summary>
    public bool IsVolatile { get; set; }

    /// <summary>May do something to the session, by itself or through what it uses.</summary>
    public bool MayChangeSession { get; set; }

    /// <summary>A function with one argument of a row type, which SQL can call as <c>row.name</c>.</summary>
    public bool IsAttribute { get; set; }

    /// <summary>What it calls and reads, until the catalog is built.</summary>
    public IReadOnlyCollection<CatalogObject> Uses => _uses ?? (IReadOnlyCollection<CatalogObject>)[];

    public void Use(CatalogObject used) => (_uses ??= []).Add(used);

    public void Use(IEnumerable<CatalogObject> used)
    {
        foreach (var one in used)
        {
            Use(one);
        }
    }

    public void ForgetUses() => _uses = null;
}
