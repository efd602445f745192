using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers.Symbols;

/// <summary>Tells whether code that configures a context switches pooling on for it.</summary>
internal static class PoolingMentions
{
    /// <summary>Whether <c>UseTransactionPooling</c> is called in a lambda or member, and not in a branch or lambda apart from a node in it.</summary>
    public static bool AreAround(SyntaxNode node, SyntaxNode scope)
        => MentionedNames.In(scope).Contains("UseTransactionPooling")
            && scope.DescendantNodes().Any(name => name is SimpleNameSyntax { Identifier.ValueText: "UseTransactionPooling" } && BranchOf(name, scope).Span.Contains(node.Span));

    private static SyntaxNode BranchOf(SyntaxNode node, SyntaxNode scope)
        => node.Ancestors().TakeWhile(outer => outer != scope).FirstOrDefault(IsBranch) ?? scope;

    private static bool IsBranch(SyntaxNode node)
        => node is BlockSyntax or AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax or SwitchSectionSyntax or SwitchExpressionArmSyntax
            || node.Parent is IfStatementSyntax or ElseClauseSyntax or ConditionalExpressionSyntax;
}
