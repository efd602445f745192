using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Symbols;

/// <summary>Questions about types. A known type that the project does not reference (null) is never matched. Type arguments do not matter.</summary>
internal static class TypeExtensions
{
    public static bool Is(this ITypeSymbol? type, INamedTypeSymbol? known)
        => known is not null && type is not null && SymbolEqualityComparer.Default.Equals(type.OriginalDefinition, known);

    /// <summary>The class itself or one derived from it. A type parameter counts as its constraints.</summary>
    public static bool InheritsFrom(this ITypeSymbol? type, INamedTypeSymbol? known)
    {
        if (known is null)
        {
            return false;
        }

        if (type is ITypeParameterSymbol parameter)
        {
            return parameter.ConstraintTypes.Any(constraint => constraint.InheritsFrom(known));
        }

        for (; type is not null; type = type.BaseType)
        {
            if (type.Is(known))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The type of a local, parameter, field or property; null for anything else.</summary>
    public static ITypeSymbol? VariableType(this ISymbol? variable) => variable switch
    {
        ILocalSymbol local => local.Type,
        IParameterSymbol parameter => parameter.Type,
        IFieldSymbol field => field.Type,
        IPropertySymbol property => property.Type,
        _ => null,
    };

    /// <summary>The interface itself, or a type that implements it.</summary>
    public static bool IsOrImplements(this ITypeSymbol? type, INamedTypeSymbol? known)
        => known is not null && type is not null
            && (type.Is(known) || type.AllInterfaces.Any(item => item.Is(known))
                || (type is ITypeParameterSymbol parameter && parameter.ConstraintTypes.Any(constraint => constraint.IsOrImplements(known))));
}
