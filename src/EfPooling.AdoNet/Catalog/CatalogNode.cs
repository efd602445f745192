namespace EfPooling.AdoNet.Sql;

/// <summary>
/// One object of a database while a catalog is built: a function, a type, or the reading or writing of a relation. The flags of
/// an object also hold for the objects that use it.
/// </summary>
internal sealed class CatalogNode
{
    private readonly List<CatalogNode> _users = [];

    public CatalogFlags Flags { get; set; }

    /// <summary>Records that this node uses another one.</summary>
    public void Use(CatalogNode used) => used._users.Add(this);

    /// <inheritdoc cref="Use(CatalogNode)"/>
    public void Use(IEnumerable<CatalogNode> used)
    {
        foreach (var one in used)
        {
            Use(one);
        }
    }

    /// <summary>Passes the flags of these nodes on to all their direct and indirect users.</summary>
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
