using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>Finds out whether a loop takes its rows from a reader that stays open meanwhile, and on what.</summary>
internal static class OpenStream
{
    private const int MaxSteps = 20;

    private static readonly HashSet<string> Streaming =
    [
        "Where", "Select", "SelectMany", "Chunk", "Take", "Skip", "TakeWhile", "SkipWhile", "Cast", "OfType", "Distinct", "DistinctBy", "Index", "Append", "DefaultIfEmpty",
    ];

    /// <summary>The context or connection that a loop reads from row by row; unknown if it reads what is in memory, or something else.</summary>
    public static Root RootOf(IForEachLoopOperation loop, FlowBody body)
    {
        var source = loop.Collection;
        for (var i = 0; i < MaxSteps; i++)
        {
            var inner = source switch
            {
                IConversionOperation conversion => conversion.Operand,
                IParenthesizedOperation parenthesized => parenthesized.Operand,
                IInvocationOperation { TargetMethod.Name: "ConfigureAwait" or "WithCancellation" or "AsAsyncEnumerable" or "AsEnumerable" } call => DbOperations.OwnerOf(call),
                IInvocationOperation { TargetMethod.ContainingType.Name: "Enumerable" or "AsyncEnumerable" } call when IsStreaming(call) => DbOperations.OwnerOf(call),
                ILocalReferenceOperation local when !IsQuery(local.Type, body) => InitialValue(local.Local, body),
                _ => null,
            };
            if (inner is null)
            {
                break;
            }

            source = inner;
        }

        return IsQuery(source.Type, body) ? (body.RootOf(source) is { IsKnown: true } root && !body.Symbols.Retries.MayBeOn(root.ContextType(body.Symbols.Known)) ? root : Root.Unknown)
            : body.TryGetOperation(source, out var operation) && (operation.Kind == DbOperationKind.Stream || IsUnbuffered(operation)) ? body.RootOf(operation)
            : Root.Unknown;
    }

    // Gives the first before it has read the last.
    private static bool IsStreaming(IInvocationOperation call)
        => call.TargetMethod.ContainingType.ContainingNamespace.ToDisplayString() == "System.Linq" && Streaming.Contains(call.TargetMethod.Name);

    private static bool IsQuery(ITypeSymbol? type, FlowBody body) => type.IsOrImplements(body.Symbols.Known.IQueryableOfT);

    // Dapper's Query with buffered: false.
    private static bool IsUnbuffered(DbOperation operation)
        => operation.Invocation.TargetMethod.Name == "Query"
            && operation.Invocation.Arguments.Any(argument => argument is { Parameter.Name: "buffered", Value.ConstantValue: { HasValue: true, Value: false } });

    private static IOperation? InitialValue(ILocalSymbol local, FlowBody body)
        => Assignments.MayBeReassigned(local) ? null : MemberOperations.Of(body.Block).InitialValue(local);
}
