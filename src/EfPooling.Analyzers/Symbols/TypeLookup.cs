using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Symbols;

/// <summary>
/// Finds a type that the project can name. A library may carry an internal copy of another one (Hangfire.SqlServer one of Dapper), and then
/// <c>GetTypeByMetadataName</c> gives null for a type that the code uses all the time.
/// </summary>
internal static class TypeLookup
{
    /// <summary>
    /// The project's own type of that name, otherwise a public one, otherwise an internal one that it may use. Of several it is the one whose assembly is
    /// named as the type is. Null: the project can name none.
    /// </summary>
    /// <param name="compilation">The project.</param>
    /// <param name="metadataName">The full name, as metadata has it: <c>System.Lazy`1</c>.</param>
    public static INamedTypeSymbol? Find(Compilation compilation, string metadataName)
    {
        INamedTypeSymbol? best = null;
        var bestRank = 0;
        foreach (var type in compilation.GetTypesByMetadataName(metadataName))
        {
            var rank = Rank(type, compilation, metadataName);
            if (rank > bestRank)
            {
                (best, bestRank) = (type, rank);
            }
        }

        return best;
    }

    // 0: not to be named.
    private static int Rank(INamedTypeSymbol type, Compilation compilation, string metadataName)
        => SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, compilation.Assembly) ? 4
            : IsPublic(type) ? (IsNamedAfter(metadataName, type.ContainingAssembly.Name) ? 3 : 2)
            : compilation.IsSymbolAccessibleWithin(type, compilation.Assembly) ? 1
            : 0;

    private static bool IsPublic(INamedTypeSymbol? type)
    {
        for (; type is not null; type = type.ContainingType)
        {
            if (type.DeclaredAccessibility != Accessibility.Public)
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsNamedAfter(string metadataName, string assembly) => metadataName.StartsWith(assembly + ".", StringComparison.Ordinal);
}
