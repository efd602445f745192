using System.Collections.Immutable;
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers;

/// <summary>EFP0008: <c>_ = task;</c> becomes <c>await task;</c> where the function is asynchronous.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(DiscardedTaskFix)), Shared]
internal sealed class DiscardedTaskFix : CodeFixProvider
{
    public override ImmutableArray<string> FixableDiagnosticIds { get; } = [DiagnosticIds.DiscardedTask];

    public override FixAllProvider GetFixAllProvider() => WellKnownFixAllProviders.BatchFixer;

    public override async Task RegisterCodeFixesAsync(CodeFixContext context)
    {
        var root = await context.Document.GetSyntaxRootAsync(context.CancellationToken).ConfigureAwait(false);
        foreach (var diagnostic in context.Diagnostics)
        {
            var statement = root?.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true).FirstAncestorOrSelf<StatementSyntax>();
            if (statement is not null && TaskOf(statement) is { } task && !task.DescendantNodesAndSelf().Any(node => node is ConditionalAccessExpressionSyntax)
                && AsyncFunctions.MayAwaitIn(statement))
            {
                context.RegisterCodeFix(
                    CodeAction.Create("Await it", _ => Task.FromResult(Await(context.Document, root!, statement, task)), equivalenceKey: DiagnosticIds.DiscardedTask),
                    diagnostic);
            }
        }
    }

    private static ExpressionSyntax? TaskOf(StatementSyntax statement) => statement switch
    {
        ExpressionStatementSyntax { Expression: AssignmentExpressionSyntax assignment } => assignment.Right,
        ExpressionStatementSyntax { Expression: var expression } => expression,
        LocalDeclarationStatementSyntax { Declaration.Variables: { Count: 1 } variables } => variables[0].Initializer?.Value,
        _ => null,
    };

    private static Document Await(Document document, SyntaxNode root, StatementSyntax statement, ExpressionSyntax task)
    {
        var awaited = SyntaxFactory.AwaitExpression(SyntaxFactory.Token(SyntaxKind.AwaitKeyword).WithTrailingTrivia(SyntaxFactory.Space), task.WithoutLeadingTrivia());
        var replacement = SyntaxFactory.ExpressionStatement(awaited, statement.GetLastToken()).WithLeadingTrivia(statement.GetLeadingTrivia());
        return document.WithSyntaxRoot(root.ReplaceNode(statement, replacement));
    }
}
