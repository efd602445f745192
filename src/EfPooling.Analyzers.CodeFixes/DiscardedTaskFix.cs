using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers;

/// <summary>EFP0008: <c>_ = task;</c> becomes <c>await task;</c> where the function is asynchronous, the result need not be disposed of, and it is not a method of the object's own.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(DiscardedTaskFix)), Shared]
internal sealed class DiscardedTaskFix() : ReplacementFix(DiagnosticIds.DiscardedTask)
{
    protected override (string Title, SyntaxNode Old, SyntaxNode New)? Replace(SyntaxNode root, SemanticModel model, Diagnostic diagnostic)
    {
        var reported = root.FindNode(diagnostic.Location.SourceSpan, getInnermostNodeForTie: true);
        var statement = reported.FirstAncestorOrSelf<StatementSyntax>();
        return statement is not null && TaskOf(statement) is { } task && ReportedCalls.BehindTask(task) == reported && AsyncFunctions.MayAwaitIn(statement)
            && !IsOwn(reported, model) && !MustBeDisposed(model.GetTypeInfo(reported).Type) && Before(statement, task) is var gone && !gone.Exists(trivia => trivia.IsDirective)
            ? ("Await it", statement, Await(statement, task, gone))
            : null;
    }

    // A transaction, reader or session that nobody holds would stay open: what shall become of it, only its author knows.
    private static bool MustBeDisposed(ITypeSymbol? task)
        => task is INamedTypeSymbol { TypeArguments.Length: 1 } named && named.TypeArguments[0] is var result
            && result.AllInterfaces.Concat(result is INamedTypeSymbol itself ? [itself] : []).Any(contract => contract.ToDisplayString() is "System.IDisposable" or "System.IAsyncDisposable");

    // A method of the same object may run as long as the object lives.
    private static bool IsOwn(SyntaxNode reported, SemanticModel model)
        => reported is InvocationExpressionSyntax { Expression: SimpleNameSyntax or MemberAccessExpressionSyntax { Expression: ThisExpressionSyntax } }
            && model.GetSymbolInfo(reported).Symbol?.DeclaringSyntaxReferences.Length > 0;

    private static ExpressionSyntax? TaskOf(StatementSyntax statement) => statement switch
    {
        ExpressionStatementSyntax { Expression: AssignmentExpressionSyntax assignment } => assignment.Right,
        ExpressionStatementSyntax { Expression: var expression } => expression,
        LocalDeclarationStatementSyntax { Declaration.Variables: { Count: 1 } variables } => variables[0].Initializer?.Value,
        _ => null,
    };

    // The trivia between the begin of the statement and the task.
    private static List<SyntaxTrivia> Before(StatementSyntax statement, ExpressionSyntax task)
        => [.. statement.DescendantTrivia().Where(trivia => trivia.SpanStart >= statement.SpanStart && trivia.SpanStart < task.SpanStart)];

    private static ExpressionStatementSyntax Await(StatementSyntax statement, ExpressionSyntax task, List<SyntaxTrivia> gone)
    {
        var awaited = SyntaxFactory.AwaitExpression(SyntaxFactory.Token(SyntaxKind.AwaitKeyword).WithTrailingTrivia(SyntaxFactory.Space), task.WithoutLeadingTrivia());
        return SyntaxFactory.ExpressionStatement(awaited, statement.GetLastToken(includeZeroWidth: true)).WithLeadingTrivia(Comments.Behind(statement.GetLeadingTrivia(), gone));
    }
}
