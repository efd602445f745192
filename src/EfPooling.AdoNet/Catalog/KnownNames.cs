namespace EfPooling.AdoNet.Sql;

/// <summary>Which names exist, and in which schemas. Written while a catalog is built, then only read.</summary>
internal sealed class KnownNames
{
    private readonly Dictionary<string, HashSet<string>> _schemas = new(StringComparer.Ordinal); // by name

    public void Add(string schema, string name)
    {
        if (!_schemas.TryGetValue(name, out var schemas))
        {
            _schemas[name] = schemas = new(1, StringComparer.Ordinal);
        }

        schemas.Add(schema);
    }

    /// <summary>Whether an object exists that the name may mean.</summary>
    public bool Contains(SqlName name) => _schemas.TryGetValue(name.Name, out var schemas) && (name.Schema is null || schemas.Contains(name.Schema));
}
