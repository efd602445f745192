using System.Composition;
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
        var statement = root.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true).FirstAncestorOrSelf<StatementSyntax>();
        if (statement is not LocalDeclarationStatementSyntax { Declaration.Variables.Count: 1, Parent: BlockSyntax or GlobalStatementSyntax } declaration
            || !declaration.UsingKeyword.IsKind(SyntaxKind.None) || declaration.Modifiers.Count > 0)
        {
            return null;
        }

        var isAsync = AsyncFunctions.MayAwaitIn(declaration) && IsAsyncDisposable(model, declaration.Declaration.Variables[0]);
        return (isAsync ? "Declare it with 'await using'" : "Declare it with 'using'", declaration, WithUsing(declaration, isAsync));
    }

    private static bool IsAsyncDisposable(SemanticModel model, VariableDeclaratorSyntax variable)
        => model.GetDeclaredSymbol(variable) is ILocalSymbol local
            && local.Type.AllInterfaces.Any(item => item.ToDisplayString() == "System.IAsyncDisposable");

    private static LocalDeclarationStatementSyntax WithUsing(LocalDeclarationStatementSyntax declaration, bool isAsync)
    {
        var leading = declaration.GetLeadingTrivia();
        var plain = declaration.WithLeadingTrivia().WithUsingKeyword(Keyword(SyntaxKind.UsingKeyword));
        return (isAsync ? plain.WithAwaitKeyword(Keyword(SyntaxKind.AwaitKeyword)) : plain).WithLeadingTrivia(leading);
    }

    private static SyntaxToken Keyword(SyntaxKind kind) => SyntaxFactory.Token(kind).WithTrailingTrivia(SyntaxFactory.Space);
}
