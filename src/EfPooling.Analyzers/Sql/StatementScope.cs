using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Sql;

/// <summary>Where in its function the effect of a call is surely in force: the block of its statement, or the body of the <c>using</c> that it opens.</summary>
/// <param name="call">The call.</param>
/// <param name="scope">The block or body.</param>
/// <param name="isUsing">Whether the effect ends with the scope.</param>
internal sealed class StatementScope(IOperation call, IOperation scope, bool isUsing)
{
    /// <summary>Null: the call is part of an expression that may leave it out, or keeps its result elsewhere.</summary>
    public static StatementScope? Of(IOperation call)
    {
        var isUsing = false;
        for (var (inner, outer) = (call, call.Parent); outer is not null; (inner, outer) = (outer, outer.Parent))
        {
            switch (outer)
            {
                case IAwaitOperation or IConversionOperation or IParenthesizedOperation or IExpressionStatementOperation:
                case IVariableInitializerOperation or IVariableDeclaratorOperation or IVariableDeclarationOperation or IVariableDeclarationGroupOperation:
                case IArgumentOperation { Parent: IInvocationOperation { TargetMethod.Name: "ConfigureAwait" } }:
                case IInvocationOperation { TargetMethod.Name: "ConfigureAwait" or "AsTask" or "GetAwaiter" or "GetResult" or "Wait" }:
                case ISimpleAssignmentOperation assignment when assignment.Value == inner:
                    continue;
                case IUsingDeclarationOperation:
                    isUsing = true;
                    continue;
                case IUsingOperation resource when resource.Resources == inner:
                    return new StatementScope(call, resource.Body, isUsing: true);
                case IBlockOperation block:
                    return new StatementScope(call, block, isUsing);
                default:
                    return null;
            }
        }

        return null;
    }

    /// <summary>Whether it is in force at a place behind the call, in the same function.</summary>
    public bool Covers(IOperation place)
        => place.Syntax.SpanStart > call.Syntax.SpanStart && scope.Syntax.Span.Contains(place.Syntax.Span) && FunctionOf(place) == FunctionOf(call);

    /// <summary>Whether it has ended before a place: it was opened by <c>using</c>, in a scope that the place is behind of.</summary>
    public bool IsOver(IOperation place) => isUsing && place.Syntax.SpanStart >= scope.Syntax.Span.End && FunctionOf(place) == FunctionOf(call);

    /// <summary>Whether the way through a call leaves the function before it comes to a place: <c>if (…) { tx.Rollback(); return; }</c>.</summary>
    public static bool LeavesBefore(IOperation call, IOperation place)
        => BlockOf(call) is { } block && !block.Syntax.Span.Contains(place.Syntax.Span) && block.Operations.LastOrDefault() is IReturnOperation or IThrowOperation or IExpressionStatementOperation { Operation: IThrowOperation };

    /// <summary>The innermost block around an operation.</summary>
    public static IBlockOperation? BlockOf(IOperation operation)
    {
        for (var parent = operation.Parent; parent is not null; parent = parent.Parent)
        {
            if (parent is IBlockOperation block)
            {
                return block;
            }
        }

        return null;
    }

    /// <summary>The innermost lambda or local function around an operation; null: the member itself.</summary>
    public static IOperation? FunctionOf(IOperation operation)
    {
        for (var parent = operation.Parent; parent is not null; parent = parent.Parent)
        {
            if (parent is IAnonymousFunctionOperation or ILocalFunctionOperation)
            {
                return parent;
            }
        }

        return null;
    }
}
