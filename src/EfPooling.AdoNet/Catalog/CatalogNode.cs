namespace EfPooling.AdoNet.Sql;

/// <summary>
/// One object of a database while a catalog is built: a function, a type, or what happens when a relation is read or written. What is true of an object is true of
/// those that use it.
/// </summary>
internal sealed class CatalogNode
{
    private readonly List<CatalogNode> _users = [];

    public CatalogFlags Flags { get; set; }

    /// <summary>This one uses another one.</summary>
    public void Use(CatalogNode used) => used._users.Add(this);

    /// <inheritdoc cref="Use(CatalogNode)"/>
    public void Use(IEnumerable<CatalogNode> used)
    {
        foreach (var one in used)
        {
            Use(one);
        }
    }

    /// <summary>Gives to all users of these nodes, directly or not, what the nodes have.</summary>
    public static void Spread(IEnumerable<CatalogNode> nodes)
    {
        var changed = new Queue<CatalogNode>(nodes.Where(node => node.Flags != CatalogFlags.None));
        while (changed.TryDequeue(out var used))
        {
            foreach (var user in used._users)
            {
                if ((used.Flags & ~user.Flags) != 0)
                {
                    user.Flags |= used.Flags;
                    changed.Enqueue(user);
                }
            }
        }
    }
}
