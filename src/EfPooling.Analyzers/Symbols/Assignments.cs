using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Symbols;

/// <summary>
/// Looks for assignments by reading the syntax only, so a namesake counts too: it may find one too many, never one too few.
/// </summary>
internal static class Assignments
{
    // For each name, where it is assigned. Asked for each variable of a file, so read in one walk. Values live as long as the syntax.
    private static readonly ConditionalWeakTable<SyntaxTree, Dictionary<string, List<int>>> Assigned = new();

    /// <summary>Whether a local or a parameter may get another value after its declaration.</summary>
    public static bool MayBeReassigned(ISymbol variable)
    {
        foreach (var reference in variable.DeclaringSyntaxReferences)
        {
            if (ScopesOf(variable, reference.GetSyntax()).Any(scope => IsAssignedIn(scope, variable.Name)))
            {
                return true;
            }
        }

        return variable.DeclaringSyntaxReferences.Length == 0;
    }

    /// <summary>What is assigned to a name by <c>=</c> in a piece of code, initialisers of fields and properties included.</summary>
    public static IEnumerable<ExpressionSyntax> ValuesOf(SyntaxNode scope, string name)
    {
        foreach (var node in scope.DescendantNodes())
        {
            var value = node switch
            {
                AssignmentExpressionSyntax assignment when Names(assignment.Left, name) => assignment.Right,
                VariableDeclaratorSyntax { Initializer: { } initializer } variable when variable.Identifier.ValueText == name => initializer.Value,
                PropertyDeclarationSyntax { Initializer: { } initializer } property when property.Identifier.ValueText == name => initializer.Value,
                _ => null,
            };
            if (value is not null)
            {
                yield return value;
            }
        }
    }

    /// <summary>The member whose code a node is part of; the whole file for top-level statements.</summary>
    public static SyntaxNode MemberOf(SyntaxNode node)
    {
        foreach (var ancestor in node.AncestorsAndSelf())
        {
            if (ancestor is MemberDeclarationSyntax and not GlobalStatementSyntax)
            {
                return ancestor;
            }
        }

        return node.SyntaxTree.GetRoot();
    }

    private static IEnumerable<SyntaxNode> ScopesOf(ISymbol variable, SyntaxNode declaration)
    {
        // A parameter of a primary constructor is in scope in all parts of its type.
        if (variable is IParameterSymbol { ContainingSymbol: IMethodSymbol { MethodKind: MethodKind.Constructor } constructor }
            && declaration.Parent?.Parent is TypeDeclarationSyntax)
        {
            return constructor.ContainingType.DeclaringSyntaxReferences.Select(part => part.GetSyntax());
        }

        return [MemberOf(declaration)];
    }

    private static bool IsAssignedIn(SyntaxNode scope, string name)
        => Assigned.GetValue(scope.SyntaxTree, PlacesIn).TryGetValue(name, out var places) && places.Exists(place => scope.Span.Contains(place));

    private static Dictionary<string, List<int>> PlacesIn(SyntaxTree tree)
    {
        var names = new Dictionary<string, List<int>>();
        foreach (var node in tree.GetRoot().DescendantNodes())
        {
            switch (node)
            {
                case AssignmentExpressionSyntax assignment:
                    Add(assignment.Left, names);
                    break;
                case ArgumentSyntax argument when argument.RefKindKeyword.IsKind(SyntaxKind.OutKeyword) || argument.RefKindKeyword.IsKind(SyntaxKind.RefKeyword):
                    Add(argument.Expression, names);
                    break;
                case RefExpressionSyntax reference:
                    Add(reference.Expression, names);
                    break;
            }
        }

        return names;
    }

    private static void Add(ExpressionSyntax target, Dictionary<string, List<int>> names)
    {
        switch (target)
        {
            case IdentifierNameSyntax identifier:
                Add(identifier.Identifier, names);
                break;
            case MemberAccessExpressionSyntax { Expression: ThisExpressionSyntax } member:
                Add(member.Name.Identifier, names);
                break;
            case ParenthesizedExpressionSyntax parenthesized:
                Add(parenthesized.Expression, names);
                break;
            case TupleExpressionSyntax tuple:
                foreach (var argument in tuple.Arguments)
                {
                    Add(argument.Expression, names);
                }

                break;
        }
    }

    private static void Add(SyntaxToken name, Dictionary<string, List<int>> names)
    {
        if (!names.TryGetValue(name.ValueText, out var places))
        {
            names.Add(name.ValueText, places = []);
        }

        places.Add(name.SpanStart);
    }

    private static bool Names(ExpressionSyntax target, string name) => target switch
    {
        IdentifierNameSyntax identifier => identifier.Identifier.ValueText == name,
        MemberAccessExpressionSyntax { Expression: ThisExpressionSyntax } member => member.Name.Identifier.ValueText == name,
        ParenthesizedExpressionSyntax parenthesized => Names(parenthesized.Expression, name),
        TupleExpressionSyntax tuple => tuple.Arguments.Any(argument => Names(argument.Expression, name)),
        _ => false,
    };
}
