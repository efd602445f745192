namespace EfPooling.AdoNet.Sql;

/// <summary>
/// Names in schemas. A name without a schema may be any of that name: the search path is the session's, and the worst of them counts.
/// Written while the catalog loads, then read only.
/// </summary>
internal sealed class CatalogNames
{
    private const int MaxBytes = 63;

    private readonly Dictionary<string, List<KeyValuePair<string, CatalogObject>>> _byName = new(StringComparer.Ordinal);

    public CatalogObject Add(string schema, string name)
    {
        if (!_byName.TryGetValue(name, out var all))
        {
            _byName[name] = all = new(1);
        }

        foreach (var known in all)
        {
            if (known.Key == schema)
            {
                return known.Value;
            }
        }

        var added = new CatalogObject();
        all.Add(new(schema, added));
        return added;
    }

    /// <returns>Everything that the name may mean; nothing if it is not known, or longer than the server's names.</returns>
    public IEnumerable<CatalogObject> Find(SqlName name)
        => name.Name.Length <= MaxBytes && _byName.TryGetValue(name.Name, out var all)
            ? all.Where(known => name.Schema is null || known.Key == name.Schema).Select(known => known.Value)
            : [];

    /// <returns>Everything of that name in any schema.</returns>
    public IEnumerable<CatalogObject> FindAny(string name) => Find(new SqlName(null, name));

    public IEnumerable<CatalogObject> All() => _byName.Values.SelectMany(all => all).Select(known => known.Value);
}
