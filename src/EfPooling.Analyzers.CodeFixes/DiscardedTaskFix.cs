using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers;

/// <summary>EFP0008: <c>_ = task;</c> becomes <c>await task;</c> where the function is asynchronous.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(DiscardedTaskFix)), Shared]
internal sealed class DiscardedTaskFix() : ReplacementFix(DiagnosticIds.DiscardedTask)
{
    protected override (string Title, SyntaxNode Old, SyntaxNode New)? Replace(SyntaxNode root, SemanticModel model, Diagnostic diagnostic)
    {
        var reported = root.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true);
        var statement = reported.FirstAncestorOrSelf<StatementSyntax>();
        return statement is not null && TaskOf(statement) is { } task && ReportedCalls.BehindTask(task) == reported && AsyncFunctions.MayAwaitIn(statement)
            ? ("Await it", statement, Await(statement, task))
            : null;
    }

    private static ExpressionSyntax? TaskOf(StatementSyntax statement) => statement switch
    {
        ExpressionStatementSyntax { Expression: AssignmentExpressionSyntax assignment } => assignment.Right,
        ExpressionStatementSyntax { Expression: var expression } => expression,
        LocalDeclarationStatementSyntax { Declaration.Variables: { Count: 1 } variables } => variables[0].Initializer?.Value,
        _ => null,
    };

    private static ExpressionStatementSyntax Await(StatementSyntax statement, ExpressionSyntax task)
    {
        var awaited = SyntaxFactory.AwaitExpression(SyntaxFactory.Token(SyntaxKind.AwaitKeyword).WithTrailingTrivia(SyntaxFactory.Space), task.WithoutLeadingTrivia());
        return SyntaxFactory.ExpressionStatement(awaited, statement.GetLastToken()).WithLeadingTrivia(statement.GetLeadingTrivia());
    }
}
