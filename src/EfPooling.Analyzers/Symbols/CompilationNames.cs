using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Symbols;

/// <summary>Tells whether a project says a name anywhere. All its files are read once for each name that is asked for. Thread-safe.</summary>
internal static class CompilationNames
{
    private static readonly ConditionalWeakTable<Compilation, ConcurrentDictionary<string, bool>> Cache = new();

    /// <param name="compilation">The project.</param>
    /// <param name="start">The name, or the beginning of names that mean the same.</param>
    public static bool Has(Compilation compilation, string start)
        => Cache.GetValue(compilation, _ => new ConcurrentDictionary<string, bool>()).GetOrAdd(start, word => compilation.SyntaxTrees.Any(tree => Says(tree, word)));

    private static bool Says(SyntaxTree tree, string word)
        => tree.GetText().ToString().Contains(word)
            && tree.GetRoot().DescendantNodes().Any(node => node is SimpleNameSyntax name && name.Identifier.ValueText.StartsWith(word, StringComparison.Ordinal));
}
