using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;

namespace EfPooling.Analyzers.Flow;

/// <summary>What rules say and ask about roots.</summary>
internal static class Roots
{
    /// <summary>Whether the variable behind a root is declared outside a piece of code, so that all its runs share one object.</summary>
    public static bool IsOutside(this Root root, SyntaxNode code)
        => root.Symbol is not (null or ILocalSymbol or IParameterSymbol)
            || (root.Symbol is { DeclaringSyntaxReferences.Length: > 0 } variable
                && variable.DeclaringSyntaxReferences.All(declaration => declaration.SyntaxTree != code.SyntaxTree || !code.Span.Contains(declaration.Span)));

    /// <summary>The type of the context in the variable; null if the variable holds something else.</summary>
    public static ITypeSymbol? ContextType(this Root root, KnownSymbols known)
    {
        var type = root.Symbol as INamedTypeSymbol ?? root.Symbol.VariableType();
        return type.InheritsFrom(known.DbContext) ? type : null;
    }

    /// <summary>As a message names it.</summary>
    public static string Name(this Root root) => root.Symbol is null or INamedTypeSymbol ? "this" : root.Symbol.Name;
}
