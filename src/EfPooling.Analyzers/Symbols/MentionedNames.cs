using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Symbols;

/// <summary>The simple names in a piece of code, read once: rules ask for them for each variable and each call. A namesake counts too. Thread-safe.</summary>
internal static class MentionedNames
{
    // Values live as long as the syntax.
    private static readonly ConditionalWeakTable<SyntaxNode, HashSet<string>> Names = new();

    /// <summary>Not to be changed.</summary>
    public static HashSet<string> In(SyntaxNode code) => Names.GetValue(code, Read);

    private static HashSet<string> Read(SyntaxNode code) => [.. code.DescendantNodes().OfType<SimpleNameSyntax>().Select(name => name.Identifier.ValueText)];
}
