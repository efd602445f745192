namespace EfPooling.AdoNet.Sql;

/// <summary>
/// The objects of a database by name, whatever their schema. The session's search path decides which of several namesakes a name
/// means, so all of them count. One thread only.
/// </summary>
internal sealed class CatalogNames
{
    private readonly Dictionary<string, List<CatalogNode>> _nodes = new(StringComparer.Ordinal);

    public void Add(string name, CatalogNode node)
    {
        if (!_nodes.TryGetValue(name, out var known))
        {
            _nodes[name] = known = new(1);
        }

        known.Add(node);
    }

    public IReadOnlyList<CatalogNode> Find(string name) => _nodes.TryGetValue(name, out var known) ? known : [];

    /// <summary>For operators: those whose sign occurs in a run of operator characters.</summary>
    public IEnumerable<CatalogNode> FindWithin(string text) => _nodes.Where(known => text.Contains(known.Key, StringComparison.Ordinal)).SelectMany(known => known.Value);

    /// <summary>What each name may cause.</summary>
    public Dictionary<string, CatalogFlags> ToFlags()
        => _nodes.ToDictionary(known => known.Key, known => known.Value.Aggregate(CatalogFlags.None, (sum, node) => sum | node.Flags), StringComparer.Ordinal);
}
