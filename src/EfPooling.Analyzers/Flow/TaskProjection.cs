using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>
/// Finds the function that starts a task per element: <c>ids.Select(id => …)</c>, <c>from id in ids select …</c>, also through a local, <c>ToList</c> and
/// operators that leave the elements as they are.
/// </summary>
internal static class TaskProjection
{
    private const int MaxSteps = 10;

    private static readonly HashSet<string> Passing =
    [
        "ToList", "ToArray", "ToHashSet", "AsEnumerable", "Where", "OrderBy", "OrderByDescending", "ThenBy", "Take", "Skip", "TakeWhile", "SkipWhile", "Reverse", "Concat", "Append", "Prepend", "Cast", "OfType", "Distinct",
    ];

    /// <summary>Null if there is none in this file, or if the source surely has one element at most.</summary>
    public static (IOperation Function, FlowBody Body)? Of(IOperation tasks, FlowBody body)
    {
        for (var i = 0; i < MaxSteps; i++)
        {
            switch (tasks)
            {
                case IConversionOperation conversion:
                    tasks = conversion.Operand;
                    break;
                case IParenthesizedOperation parenthesized:
                    tasks = parenthesized.Operand;
                    break;
                case ITranslatedQueryOperation query:
                    tasks = query.Operation;
                    break;
                case ICollectionExpressionOperation { Elements.Length: 1 } collection when collection.Elements[0] is ISpreadOperation spread:
                    tasks = spread.Operand;
                    break;
                case ILocalReferenceOperation { Local: var local } when InitialValue(local, body) is { } initial:
                    tasks = initial;
                    break;
                case IInvocationOperation call when call.TargetMethod.ContainingType.Is(body.Symbols.Known.Enumerable) && call.Arguments.Length > 0:
                    if (call.TargetMethod.Name is "Select" or "SelectMany")
                    {
                        return HasManyElements(call.Arguments[0].Value, body) ? Function(call.Arguments[call.Arguments.Length - 1].Value, body) : null;
                    }

                    if (!Passing.Contains(call.TargetMethod.Name))
                    {
                        return null;
                    }

                    tasks = call.Arguments[0].Value;
                    break;
                default:
                    return null;
            }
        }

        return null;
    }

    /// <summary>Whether a call runs through all elements at once and so starts all tasks: <c>ToList</c>, <c>AddRange</c>.</summary>
    public static bool IsRunBy(IInvocationOperation call, FlowBody body)
        => (call.TargetMethod.Name is "ToList" or "ToArray" or "ToHashSet" && call.TargetMethod.ContainingType.Is(body.Symbols.Known.Enumerable) && call.TargetMethod.TypeArguments.Length == 1 && body.Symbols.Known.IsTask(call.TargetMethod.TypeArguments[0]))
            || (call.TargetMethod.Name == "AddRange" && call.Instance is { } list && body.Symbols.IsSequenceOfTasks(list.Type));

    private static (IOperation Function, FlowBody Body)? Function(IOperation argument, FlowBody body)
        => argument is IDelegateCreationOperation code && DeferredFunction.Of(code, body) is ({ } function, { } inside) ? (function, inside) : null;

    private static bool HasManyElements(IOperation source, FlowBody body)
        => TaskUse.Inner(source) switch
        {
            IArrayCreationOperation { Initializer: { } initializer } => initializer.ElementValues.Length > 1,
            ICollectionExpressionOperation collection => collection.Elements.Length > 1 || collection.Elements.Any(element => element is ISpreadOperation),
            IInvocationOperation { Arguments.Length: > 0 } call when call.TargetMethod.ContainingType.Is(body.Symbols.Known.Enumerable) => call.TargetMethod.Name switch
            {
                "Take" or "Range" or "Repeat" when call.Arguments.Length == 2 && IsOneOrNone(call.Arguments[1].Value) => false,
                "Take" or "Where" or "OrderBy" or "OrderByDescending" or "Distinct" or "Skip" or "ToList" or "ToArray" or "AsEnumerable" or "Reverse"
                    => HasManyElements(call.Arguments[0].Value, body),
                _ => true,
            },
            _ => true,
        };

    private static bool IsOneOrNone(IOperation count) => count.ConstantValue is { HasValue: true, Value: 0 or 1 };

    private static IOperation? InitialValue(ILocalSymbol local, FlowBody body)
        => Assignments.MayBeReassigned(local) ? null : MemberOperations.Of(body.Block).InitialValue(local);
}
