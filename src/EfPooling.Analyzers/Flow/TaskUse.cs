using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>What becomes of the task that a call returns, <c>ConfigureAwait</c>, <c>AsTask</c>, casts and <c>?.</c> looked through.</summary>
/// <param name="kind">What becomes of it.</param>
/// <param name="outermost">The call with all that was looked through.</param>
/// <param name="local">The local for <see cref="TaskUseKind.Local"/>, the collection for <see cref="TaskUseKind.Collected"/>.</param>
internal readonly struct TaskUse(TaskUseKind kind, IOperation outermost, ILocalSymbol? local = null)
{
    public TaskUseKind Kind { get; } = kind;

    public IOperation Outermost { get; } = outermost;

    public ILocalSymbol? Local { get; } = local;

    public static TaskUse Of(IOperation task)
    {
        var outermost = Outer(task);
        return outermost.Parent switch
        {
            IAwaitOperation => new TaskUse(TaskUseKind.Awaited, outermost),
            IExpressionStatementOperation => new TaskUse(TaskUseKind.Statement, outermost),
            ISimpleAssignmentOperation { Target: IDiscardOperation } => new TaskUse(TaskUseKind.Discarded, outermost),
            IVariableInitializerOperation { Parent: IVariableDeclaratorOperation variable } => new TaskUse(TaskUseKind.Local, outermost, variable.Symbol),
            IPropertyReferenceOperation { Property.Name: "Result" } => new TaskUse(TaskUseKind.Blocked, outermost),
            IInvocationOperation { TargetMethod.Name: "Wait" or "GetAwaiter" } call when call.Instance == outermost => new TaskUse(TaskUseKind.Blocked, outermost),
            ISimpleAssignmentOperation { Target: ILocalReferenceOperation { Local: var assigned }, Parent: IExpressionStatementOperation } => new TaskUse(TaskUseKind.Local, outermost, assigned),
            _ when CollectionOf(outermost) is { } collection => new TaskUse(TaskUseKind.Collected, outermost, collection),
            _ => new TaskUse(TaskUseKind.Other, outermost),
        };
    }

    /// <summary>The names of methods that add to a collection and look at nothing in it.</summary>
    public static bool IsAdding(IMethodSymbol method) => method.Name is "Add" or "Enqueue" or "Push" or "TryAdd" or "AddFirst" or "AddLast" or "Insert";

    // list.Add(task), array[0] = task, and the elements of what a local is declared with.
    private static ILocalSymbol? CollectionOf(IOperation task) => task.Parent switch
    {
        IArgumentOperation { Parent: IInvocationOperation { Instance: ILocalReferenceOperation list } call } when IsAdding(call.TargetMethod) => list.Local,
        IArgumentOperation { Parent: IInvocationOperation { Instance: IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ImplicitReceiver }, Parent: IObjectOrCollectionInitializerOperation { Parent: { } creation } } }
            => DeclaredWith(creation),
        ISimpleAssignmentOperation { Target: IArrayElementReferenceOperation { ArrayReference: ILocalReferenceOperation array } } => array.Local,
        IArrayInitializerOperation { Parent: IArrayCreationOperation creation } => DeclaredWith(creation),
        ICollectionExpressionOperation collection => DeclaredWith(collection),
        _ => null,
    };

    private static ILocalSymbol? DeclaredWith(IOperation value) => Outer(value).Parent is IVariableInitializerOperation { Parent: IVariableDeclaratorOperation variable } ? variable.Symbol : null;

    /// <summary>The result of a call with all that was looked through, awaited if it is a task; null if it is not awaited on the spot.</summary>
    public static IOperation? Result(IOperation call, bool returnsTask)
    {
        var value = Outer(call);
        return !returnsTask ? value : value.Parent is IAwaitOperation awaited ? Outer(awaited) : null;
    }

    /// <summary>The local that gets the result of a call, awaited if it is a task.</summary>
    public static ILocalSymbol? LocalOfResult(IOperation call, bool returnsTask)
        => Result(call, returnsTask)?.Parent is IVariableInitializerOperation { Parent: IVariableDeclaratorOperation variable } ? variable.Symbol : null;

    /// <summary>The call behind a task, the other way round.</summary>
    public static IOperation Inner(IOperation task)
    {
        while (true)
        {
            var inner = task switch
            {
                IConversionOperation conversion => conversion.Operand,
                IParenthesizedOperation parenthesized => parenthesized.Operand,
                IConditionalAccessOperation access => access.WhenNotNull,
                IInvocationOperation { TargetMethod.Name: "ConfigureAwait" or "AsTask", Instance: { } instance } => instance,
                _ => null,
            };
            if (inner is null)
            {
                return task;
            }

            task = inner;
        }
    }

    private static IOperation Outer(IOperation value)
    {
        while (value.Parent is IConversionOperation or IParenthesizedOperation
            || (value.Parent is IConditionalAccessOperation access && access.WhenNotNull == value)
            || (value.Parent is IInvocationOperation { TargetMethod.Name: "ConfigureAwait" or "AsTask" } call && call.Instance == value))
        {
            value = value.Parent;
        }

        return value;
    }
}
