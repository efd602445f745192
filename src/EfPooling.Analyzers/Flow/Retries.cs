using System.Collections.Concurrent;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Flow;

/// <summary>
/// The contexts of a project that are set up to retry (<c>EnableRetryOnFailure</c>, <c>ExecutionStrategy(…)</c>), so that EF Core reads all rows before it gives the first. To
/// create a strategy is no set-up: without one, it does not retry. Thread-safe.
/// </summary>
internal sealed class Retries
{
    private readonly HashSet<string> _contexts = [];
    private readonly Compilation _compilation;
    private readonly ConcurrentDictionary<ITypeSymbol, bool> _answers = new(SymbolEqualityComparer.Default); // asked for each loop
    private readonly bool _all; // Somewhere, the code does not show for which context.

    public Retries(Compilation compilation)
    {
        _compilation = compilation;
        foreach (var tree in compilation.SyntaxTrees)
        {
            var text = tree.GetText().ToString();
            if (text.Contains("EnableRetryOnFailure") || text.Contains("ExecutionStrategy("))
            {
                foreach (var setUp in tree.GetRoot().DescendantNodes().OfType<InvocationExpressionSyntax>().Where(IsSetUp))
                {
                    var names = ContextsOf(setUp);
                    _contexts.UnionWith(names);
                    _all |= names.Count == 0;
                }
            }
        }
    }

    /// <summary>Whether a context of a type may retry. Null: the type is not known.</summary>
    public bool MayBeOn(ITypeSymbol? context)
    {
        if (_all || _contexts.Count == 0)
        {
            return _all;
        }

        return context is null || _answers.GetOrAdd(context, IsSetUpFor);
    }

    private bool IsSetUpFor(ITypeSymbol context)
    {
        for (ITypeSymbol? type = context; type is not null; type = type.BaseType)
        {
            if (_contexts.Contains(type.Name))
            {
                return true;
            }
        }

        return _contexts.Any(name => _compilation.GetSymbolsWithName(name, SymbolFilter.Type).OfType<INamedTypeSymbol>().Any(derived => derived.InheritsFrom(context as INamedTypeSymbol)));
    }

    // npgsql.EnableRetryOnFailure(), options.ExecutionStrategy(dependencies => …)
    private static bool IsSetUp(InvocationExpressionSyntax call)
        => call.Expression is MemberAccessExpressionSyntax { Name.Identifier.ValueText: var name }
            && (name == "EnableRetryOnFailure" || (name == "ExecutionStrategy" && call.ArgumentList.Arguments.Count == 1));

    // AddDbContext<AppDb>(…), OnConfiguring of the context itself, new DbContextOptionsBuilder<AppDb>() in the same member.
    private static HashSet<string> ContextsOf(SyntaxNode setUp)
    {
        var names = new HashSet<string>();
        foreach (var node in setUp.Ancestors())
        {
            switch (node)
            {
                case InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name: GenericNameSyntax { Identifier.ValueText: var method, TypeArgumentList: var arguments } } } when method.StartsWith("Add", StringComparison.Ordinal):
                    names.UnionWith(arguments.Arguments.Select(SimpleName));
                    return names;
                case MethodDeclarationSyntax { Identifier.ValueText: "OnConfiguring", Parent: TypeDeclarationSyntax type }:
                    names.Add(type.Identifier.ValueText);
                    return names;
                case MemberDeclarationSyntax member and not GlobalStatementSyntax:
                    names.UnionWith(member.DescendantNodes().OfType<GenericNameSyntax>().Where(name => name.Identifier.ValueText == "DbContextOptionsBuilder").SelectMany(name => name.TypeArgumentList.Arguments).Select(SimpleName));
                    return names;
            }
        }

        return names;
    }

    private static string SimpleName(TypeSyntax type) => type switch
    {
        QualifiedNameSyntax qualified => qualified.Right.Identifier.ValueText,
        SimpleNameSyntax simple => simple.Identifier.ValueText,
        _ => type.ToString(),
    };
}
