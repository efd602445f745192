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
        => SourceOf(loop.Collection, body.Symbols.Known) is not { } source ? Root.Unknown
            : body.RootOf(DbOperations.OwnerOrSelf(source, body.Symbols.Known)) is var root && !IsQuery(source.Type, body.Symbols.Known) ? root
            : root.IsKnown && !body.Symbols.Retries.MayBeOn(root.ContextType(body.Symbols.Known)) ? root
            : Root.Unknown;

    /// <summary>The query, or the operation without a buffer, whose rows an expression gives one by one; null if there is none.</summary>
    public static IOperation? SourceOf(IOperation rows, KnownSymbols known)
    {
        var source = rows;
        for (var i = 0; i < MaxSteps; i++)
        {
            var inner = source switch
            {
                IConversionOperation conversion => conversion.Operand,
                IParenthesizedOperation parenthesized => parenthesized.Operand,
                IInvocationOperation { TargetMethod.Name: "ConfigureAwait" or "WithCancellation" or "AsAsyncEnumerable" or "AsEnumerable" } call => DbOperations.OwnerOf(call),
                IInvocationOperation { TargetMethod.ContainingType.Name: "Enumerable" or "AsyncEnumerable" } call when IsStreaming(call) => DbOperations.OwnerOf(call),
                ILocalReferenceOperation local when !IsQuery(local.Type, known) => InitialValue(local),
                _ => null,
            };
            if (inner is null)
            {
                break;
            }

            source = inner;
        }

        return IsQuery(source.Type, known) || (known.Operations.TryGet(source, out var operation) && (operation.Kind == DbOperationKind.Stream || IsUnbuffered(operation))) ? source : null;
    }

    /// <summary>An operator of LINQ to objects that gives the first row before it has read the last.</summary>
    public static bool IsStreaming(IInvocationOperation call)
        => call.TargetMethod.ContainingType.ContainingNamespace.ToDisplayString() == "System.Linq" && Streaming.Contains(call.TargetMethod.Name);

    private static bool IsQuery(ITypeSymbol? type, KnownSymbols known) => type.IsOrImplements(known.IQueryableOfT);

    // Dapper's Query with buffered: false.
    private static bool IsUnbuffered(DbOperation operation)
        => operation.Invocation.TargetMethod.Name == "Query"
            && operation.Invocation.Arguments.Any(argument => argument is { Parameter.Name: "buffered", Value.ConstantValue: { HasValue: true, Value: false } });

    private static IOperation? InitialValue(ILocalReferenceOperation local)
        => Assignments.MayBeReassigned(local.Local) ? null : MemberOperations.Of(local).InitialValue(local.Local);
}
