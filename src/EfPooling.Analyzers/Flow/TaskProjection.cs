using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>Finds the lambda that starts a task per element: <c>ids.Select(id => …)</c>, also through a local and <c>ToList</c>.</summary>
internal static class TaskProjection
{
    private const int MaxSteps = 10;

    /// <summary>Null if there is none, or if the source surely has one element at most.</summary>
    public static IAnonymousFunctionOperation? Of(IOperation tasks, FlowBody body)
    {
        for (var i = 0; i < MaxSteps; i++)
        {
            switch (tasks)
            {
                case IConversionOperation conversion:
                    tasks = conversion.Operand;
                    break;
                case ICollectionExpressionOperation { Elements.Length: 1 } collection when collection.Elements[0] is ISpreadOperation spread:
                    tasks = spread.Operand;
                    break;
                case ILocalReferenceOperation { Local: var local } when InitialValue(local, body) is { } initial:
                    tasks = initial;
                    break;
                case IInvocationOperation call when call.TargetMethod.ContainingType.Is(body.Symbols.Known.Enumerable) && call.Arguments.Length > 0:
                    if (call.TargetMethod.Name == "Select")
                    {
                        return HasManyElements(call.Arguments[0].Value, body) ? Lambda(call.Arguments[1].Value) : null;
                    }

                    if (call.TargetMethod.Name is not ("ToList" or "ToArray"))
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

    private static IAnonymousFunctionOperation? Lambda(IOperation argument)
        => argument is IDelegateCreationOperation { Target: IAnonymousFunctionOperation lambda } ? lambda : null;

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
