namespace EfPooling.AdoNet.Sql;

/// <summary>The functions of PostgreSQL by name: which are harmless was reviewed (HarmlessFunctions.txt); all others that a server has are suspect.</summary>
internal static class BuiltInFunctions
{
    private static readonly string[] SeeSharing = ["txid_current", "txid_current_if_assigned", "pg_current_xact_id", "pg_current_xact_id_if_assigned"];
    private static readonly string[] Advance = ["nextval", "setval"];

    /// <summary>Names of functions that leave nothing in the session, whatever their arguments.</summary>
    public static IReadOnlySet<string> Harmless { get; } = Read();

    /// <param name="name">Of a built-in function.</param>
    /// <param name="isVolatile">Some function of that name is volatile to the server.</param>
    public static CatalogFlags FlagsOf(string name, bool isVolatile)
        => (Harmless.Contains(name) ? CatalogFlags.None : CatalogFlags.Suspect)
            | (isVolatile || SeeSharing.Contains(name) ? CatalogFlags.Volatile : CatalogFlags.None)
            | (Advance.Contains(name) ? CatalogFlags.Advances : CatalogFlags.None);

    private static HashSet<string> Read()
    {
        using var resource = typeof(BuiltInFunctions).Assembly.GetManifestResourceStream("EfPooling.AdoNet.Catalog.HarmlessFunctions.txt")!;
        using var reader = new StreamReader(resource);
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
            {
                names.UnionWith(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            }
        }

        return names;
    }
}
