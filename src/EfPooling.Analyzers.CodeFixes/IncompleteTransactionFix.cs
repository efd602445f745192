using System.Composition;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers;

/// <summary>EFP0010: a transaction in a plain local gets <c>await using</c>, or <c>using</c> where await is not possible.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(IncompleteTransactionFix)), Shared]
internal sealed class IncompleteTransactionFix() : ReplacementFix(DiagnosticIds.IncompleteTransaction)
{
    protected override (string Title, SyntaxNode Old, SyntaxNode New)? Replace(SyntaxNode root, SemanticModel model, Diagnostic diagnostic)
    {
        var reported = root.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true);
        if (reported.FirstAncestorOrSelf<StatementSyntax>() is not LocalDeclarationStatementSyntax { Declaration.Variables: { Count: 1 } variables, Parent: BlockSyntax or GlobalStatementSyntax } declaration
            || !declaration.UsingKeyword.IsKind(SyntaxKind.None) || declaration.Modifiers.Count > 0
            || variables[0].Initializer is not { } initializer || ReportedCalls.BehindResult(initializer.Value) != reported || MayBeJumpedOver(declaration))
        {
            return null;
        }

        var isAsync = AsyncFunctions.MayAwaitIn(declaration) && Is(model, variables[0], "System.IAsyncDisposable");
        return !isAsync && !Is(model, variables[0], "System.IDisposable") ? null : (isAsync ? "Declare it with 'await using'" : "Declare it with 'using'", declaration, WithUsing(declaration, isAsync));
    }

    // No goto may pass a using declaration.
    private static bool MayBeJumpedOver(SyntaxNode declaration)
        => Assignments.MemberOf(declaration).DescendantNodes().Any(node => node.IsKind(SyntaxKind.GotoStatement));

    private static bool Is(SemanticModel model, VariableDeclaratorSyntax variable, string contract)
        => model.GetDeclaredSymbol(variable) is ILocalSymbol local
            && (local.Type.ToDisplayString() == contract || local.Type.AllInterfaces.Any(item => item.ToDisplayString() == contract));

    private static LocalDeclarationStatementSyntax WithUsing(LocalDeclarationStatementSyntax declaration, bool isAsync)
    {
        var leading = declaration.GetLeadingTrivia();
        var plain = declaration.WithLeadingTrivia().WithUsingKeyword(Keyword(SyntaxKind.UsingKeyword));
        return (isAsync ? plain.WithAwaitKeyword(Keyword(SyntaxKind.AwaitKeyword)) : plain).WithLeadingTrivia(leading);
    }

    private static SyntaxToken Keyword(SyntaxKind kind) => SyntaxFactory.Token(kind).WithTrailingTrivia(SyntaxFactory.Space);
}
