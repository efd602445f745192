using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Sql;

/// <summary>
/// Finds out which SQL text an expression gives: literals, constants, interpolated strings, concatenations that begin with something known,
/// locals that hold these and are never assigned again, and static read-only fields that hold a literal.
/// </summary>
internal static class SqlSourceReader
{
    private const int MaxDepth = 20;

    private const int MaxLength = 100_000; // a = b + b; c = a + a; …

    /// <param name="value">The expression that is passed.</param>
    /// <param name="isParameterised">Whether values in an interpolated string become parameters (<c>FormattableString</c>).</param>
    /// <returns>Null if the text is not known.</returns>
    public static SqlSource? Read(IOperation value, bool isParameterised)
    {
        var builder = new SqlSourceBuilder();
        return TryAppend(builder, value, isParameterised, MaxDepth) ? builder.Build(value.Syntax) : null;
    }

    private static bool TryAppend(SqlSourceBuilder builder, IOperation value, bool isParameterised, int depth)
    {
        if (depth == 0 || builder.Length > MaxLength)
        {
            return false;
        }

        switch (value)
        {
            case IConversionOperation conversion:
                return TryAppend(builder, conversion.Operand, isParameterised, depth - 1);
            case IParenthesizedOperation parenthesized:
                return TryAppend(builder, parenthesized.Operand, isParameterised, depth - 1);
            case ILiteralOperation { Syntax: LiteralExpressionSyntax literal } when literal.IsKind(SyntaxKind.StringLiteralExpression):
                builder.AppendLiteral(literal.Token);
                return true;
            case IInterpolatedStringHandlerCreationOperation handler:
                return TryAppend(builder, handler.Content, isParameterised, depth - 1);
            case IInterpolatedStringOperation interpolated:
                AppendParts(builder, interpolated, isParameterised, depth - 1);
                return true;
            case IBinaryOperation { OperatorKind: BinaryOperatorKind.Add } sum when sum.Type?.SpecialType == SpecialType.System_String:
                return TryAppendSum(builder, sum, depth - 1);
            case { ConstantValue: { HasValue: true, Value: string constant } }:
                builder.Append(constant);
                return true;
            case IFieldReferenceOperation { Field: { IsStatic: true, IsReadOnly: true } field } when LiteralOf(field) is { } text:
                builder.Append(text);
                return true;
            case ILocalReferenceOperation local:
                return TryAppendLocal(builder, local, isParameterised, depth - 1);
            default:
                return false;
        }
    }

    private static void AppendParts(SqlSourceBuilder builder, IInterpolatedStringOperation interpolated, bool isParameterised, int depth)
    {
        foreach (var part in interpolated.Parts)
        {
            if (part is IInterpolatedStringTextOperation { Syntax: InterpolatedStringTextSyntax { Parent: InterpolatedStringExpressionSyntax whole } text })
            {
                builder.AppendInterpolated(text.TextToken, whole.StringStartToken);
            }
            else if (isParameterised)
            {
                builder.Append(SqlSource.Parameter);
            }
            else if (part is not IInterpolationOperation { FormatString: null, Alignment: null, Expression: { } inner }
                || inner.Type?.SpecialType != SpecialType.System_String
                || !TryAppend(builder, inner, isParameterised, depth))
            {
                builder.Append(SqlSource.Hole.ToString());
            }
        }
    }

    // Long texts are joined of many pieces: ((a + b) + c) + …
    private static bool TryAppendSum(SqlSourceBuilder builder, IBinaryOperation sum, int depth)
    {
        var right = new Stack<IOperation>();
        IOperation first = sum;
        while (first is IBinaryOperation { OperatorKind: BinaryOperatorKind.Add } inner && inner.Type?.SpecialType == SpecialType.System_String)
        {
            right.Push(inner.RightOperand);
            first = inner.LeftOperand;
        }

        if (!TryAppend(builder, first, isParameterised: false, depth))
        {
            return false;
        }

        while (right.Count > 0)
        {
            if (!TryAppend(builder, right.Pop(), isParameterised: false, depth))
            {
                builder.Append(SqlSource.Hole.ToString());
            }
        }

        return true;
    }

    // Where it is declared; what a static constructor may make of it is left out.
    private static string? LiteralOf(IFieldSymbol field)
        => field.DeclaringSyntaxReferences.FirstOrDefault()?.GetSyntax() is VariableDeclaratorSyntax { Initializer.Value: LiteralExpressionSyntax literal } && literal.IsKind(SyntaxKind.StringLiteralExpression)
            && !field.ContainingType.StaticConstructors.Any(constructor => !constructor.IsImplicitlyDeclared)
            ? literal.Token.ValueText
            : null;

    private static bool TryAppendLocal(SqlSourceBuilder builder, ILocalReferenceOperation local, bool isParameterised, int depth)
        => !Assignments.MayBeReassigned(local.Local)
            && LocalValues.InitialValue(local.Local, local) is { } value
            && TryAppend(builder, value, isParameterised, depth);
}
