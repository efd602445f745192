using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace EfPooling.Analyzers;

/// <summary>Finds the call behind an expression, so that a fix changes the statement that a diagnostic is about, not one around it.</summary>
internal static class ReportedCalls
{
    /// <summary>What is left without parentheses, <c>ConfigureAwait</c> and <c>AsTask</c>.</summary>
    public static ExpressionSyntax BehindTask(ExpressionSyntax task) => task switch
    {
        ParenthesizedExpressionSyntax parenthesized => BehindTask(parenthesized.Expression),
        InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name.Identifier.ValueText: "ConfigureAwait" or "AsTask" } member } => BehindTask(member.Expression),
        _ => task,
    };

    /// <summary>The same without <c>await</c> and casts, too.</summary>
    public static ExpressionSyntax BehindResult(ExpressionSyntax result) => result switch
    {
        ParenthesizedExpressionSyntax parenthesized => BehindResult(parenthesized.Expression),
        CastExpressionSyntax cast => BehindResult(cast.Expression),
        AwaitExpressionSyntax awaited => BehindTask(awaited.Expression),
        _ => result,
    };
}
