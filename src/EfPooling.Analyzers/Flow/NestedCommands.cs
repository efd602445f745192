using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Flow;

/// <summary>Whether a project lets commands during a reader have a server connection of their own.</summary>
internal static class NestedCommands
{
    private const string Option = "NestedCommands";

    /// <summary>The option is assigned something other than <c>Refuse</c>, or stands in a text, as the key of a configuration.</summary>
    public static bool AreAllowed(Compilation compilation)
        => compilation.SyntaxTrees.Any(tree => tree.GetText().ToString().Contains(Option) && tree.GetRoot().DescendantNodes().Any(IsAllowed));

    private static bool IsAllowed(SyntaxNode node) => node switch
    {
        AssignmentExpressionSyntax { Left: var left, Right: var right } => NameOf(left) == Option && NameOf(right) != "Refuse",
        LiteralExpressionSyntax { Token.Value: string text } => text.Contains(Option),
        _ => false,
    };

    private static string NameOf(ExpressionSyntax expression) => expression switch
    {
        MemberAccessExpressionSyntax member => member.Name.Identifier.ValueText,
        SimpleNameSyntax name => name.Identifier.ValueText,
        _ => "",
    };
}
