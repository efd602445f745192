using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers;

/// <summary>EFP0011: a loop over a query of EF Core reads all rows first, with <c>ToListAsync</c> or <c>ToList</c>.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(CommandDuringReaderFix)), Shared]
internal sealed class CommandDuringReaderFix() : ReplacementFix(DiagnosticIds.CommandDuringReader)
{
    private static readonly HashSet<string> Wrappers = ["ConfigureAwait", "WithCancellation", "AsAsyncEnumerable", "AsEnumerable"];

    protected override (string Title, SyntaxNode Old, SyntaxNode New)? Replace(SyntaxNode root, SemanticModel model, Diagnostic diagnostic)
        => diagnostic.AdditionalLocations.Count == 1
            && root.FindNode(diagnostic.AdditionalLocations[0].SourceSpan, getInnermostNodeForTie: true) is ForEachStatementSyntax loop && Buffered(loop, model) is { } buffered
            ? ("Read all rows first", loop, buffered)
            : null;

    private static ForEachStatementSyntax? Buffered(ForEachStatementSyntax loop, SemanticModel model)
    {
        var (query, arguments, configuration) = Unwrap(loop.Expression);
        if (loop.Expression.DescendantTrivia().Any(trivia => trivia.SpanStart >= query.Span.End && trivia.SpanStart < loop.Expression.Span.End && (Comments.Are(trivia) || trivia.IsDirective)))
        {
            return null; // They would be lost.
        }

        if (model.GetTypeInfo(query).Type is not { } type || !IsQuery(type))
        {
            return null;
        }

        var isAsync = AsyncFunctions.MayAwaitIn(loop) && Has(model, loop, type, "ToListAsync");
        if (!isAsync && (!Has(model, loop, type, "ToList") || loop.AwaitKeyword.IsKind(SyntaxKind.AwaitKeyword)))
        {
            return null;
        }

        ExpressionSyntax list = SyntaxFactory.InvocationExpression(
            SyntaxFactory.MemberAccessExpression(SyntaxKind.SimpleMemberAccessExpression, Operand(query.WithoutTrivia()), SyntaxFactory.IdentifierName(isAsync ? "ToListAsync" : "ToList")),
            isAsync ? arguments : SyntaxFactory.ArgumentList());
        if (isAsync)
        {
            list = configuration is null ? list
                : SyntaxFactory.InvocationExpression(
                    SyntaxFactory.MemberAccessExpression(SyntaxKind.SimpleMemberAccessExpression, list, SyntaxFactory.IdentifierName("ConfigureAwait")), configuration);
            list = SyntaxFactory.AwaitExpression(SyntaxFactory.Token(SyntaxKind.AwaitKeyword).WithTrailingTrivia(SyntaxFactory.Space), list);
        }

        var gone = loop.AwaitKeyword.TrailingTrivia.Concat(loop.AwaitKeyword.IsKind(SyntaxKind.None) ? [] : loop.ForEachKeyword.LeadingTrivia);
        var leading = Comments.Behind(loop.GetLeadingTrivia(), gone);
        return loop.WithAwaitKeyword(default).WithExpression(list.WithTriviaFrom(loop.Expression)).WithLeadingTrivia(leading);
    }

    // The query itself, the token that the loop passes on, and what it says to ConfigureAwait.
    private static (ExpressionSyntax Query, ArgumentListSyntax Arguments, ArgumentListSyntax? Configuration) Unwrap(ExpressionSyntax expression)
    {
        var (arguments, configuration) = (SyntaxFactory.ArgumentList(), (ArgumentListSyntax?)null);
        while (expression is InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member } call && Wrappers.Contains(member.Name.Identifier.ValueText))
        {
            configuration = member.Name.Identifier.ValueText == "ConfigureAwait" ? call.ArgumentList : configuration;
            arguments = member.Name.Identifier.ValueText == "WithCancellation" ? call.ArgumentList : arguments;
            expression = member.Expression;
        }

        return (expression, arguments, configuration);
    }

    private static ExpressionSyntax Operand(ExpressionSyntax query)
        => query is IdentifierNameSyntax or MemberAccessExpressionSyntax or InvocationExpressionSyntax or ElementAccessExpressionSyntax or ParenthesizedExpressionSyntax
            ? query
            : SyntaxFactory.ParenthesizedExpression(query);

    private static bool IsQuery(ITypeSymbol type)
        => type.AllInterfaces.Concat(type is INamedTypeSymbol named ? [named] : []).Any(item => item.ConstructedFrom.ToDisplayString() == "System.Linq.IQueryable<T>");

    private static bool Has(SemanticModel model, SyntaxNode place, ITypeSymbol type, string method)
        => model.LookupSymbols(place.SpanStart, type, method, includeReducedExtensionMethods: true).Length > 0;
}
