using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Symbols;

/// <summary>
/// Tells whether a manager of users or roles works on a certain context: both are given to the same object, and the context has a set of those users or roles. The
/// container gives both the same one.
/// </summary>
internal static class Managers
{
    /// <summary>The class of the users or roles that a manager manages; null if the type is no manager.</summary>
    public static ITypeSymbol? EntityOf(ITypeSymbol? type, KnownSymbols symbols)
    {
        for (; type is not null; type = type.BaseType)
        {
            if (type is INamedTypeSymbol { TypeArguments.Length: 1 } named && (type.Is(symbols.UserManager) || type.Is(symbols.RoleManager) || type.Is(symbols.SignInManager)))
            {
                return named.TypeArguments[0];
            }
        }

        return null;
    }

    /// <summary>Whether two variables are of one object or one method, whose parts the container gives it.</summary>
    public static bool AreGivenTogether(ISymbol one, ISymbol other)
        => one is IParameterSymbol && other is IParameterSymbol && SymbolEqualityComparer.Default.Equals(one.ContainingSymbol, other.ContainingSymbol)
            || (ObjectOf(one) is { } first && ObjectOf(other) is { } second && (first.InheritsFrom(second) || second.InheritsFrom(first)));

    /// <summary>Whether a context has a set of an entity.</summary>
    public static bool HasSetOf(ITypeSymbol? context, ITypeSymbol entity)
    {
        for (; context is not null; context = context.BaseType)
        {
            if (context.GetMembers().Any(member => member is IPropertySymbol { Type: INamedTypeSymbol { Name: "DbSet", TypeArguments.Length: 1 } set } && SymbolEqualityComparer.Default.Equals(set.TypeArguments[0], entity)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a manager surely works on a context of EF Core: there are such stores, or its object is given a context with such a set, too.</summary>
    public static bool HasContext(ISymbol manager, ITypeSymbol entity, KnownSymbols symbols)
        => symbols.HasIdentityStores
            || Neighbours(manager).Any(other => other.VariableType() is { } type && type.InheritsFrom(symbols.DbContext) && HasSetOf(type, entity));

    private static IEnumerable<ISymbol> Neighbours(ISymbol manager)
        => (manager.ContainingSymbol as IMethodSymbol)?.Parameters.Concat<ISymbol>(ObjectOf(manager)?.GetMembers() ?? [])
            ?? (ObjectOf(manager) is { } type ? type.GetMembers().Concat(type.InstanceConstructors.SelectMany(constructor => constructor.Parameters)) : []);

    private static INamedTypeSymbol? ObjectOf(ISymbol variable) => variable switch
    {
        IFieldSymbol or IPropertySymbol => variable.ContainingType.OriginalDefinition,
        IParameterSymbol { ContainingSymbol: IMethodSymbol { MethodKind: MethodKind.Constructor } constructor } => constructor.ContainingType.OriginalDefinition,
        _ => null,
    };
}
