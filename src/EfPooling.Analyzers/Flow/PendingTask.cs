using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Flow;

/// <summary>A task that a local or a local collection holds, so that it may be running until that local is looked at.</summary>
internal sealed class PendingTask
{
    private readonly DbTask _first;
    private readonly ILocalSymbol _holder;
    private readonly bool _isCollection;
    private readonly bool _mayRepeat; // the same call may add another one while the first is running
    private readonly FlowBody _body;

    private PendingTask(DbTask first, TaskUse use, FlowBody body)
        => (_first, _holder, _isCollection, _mayRepeat, _body) = (first, use.Local!, use.Kind == TaskUseKind.Collected, use.Kind == TaskUseKind.Collected || use.Outermost.Parent is ISimpleAssignmentOperation, body);

    /// <summary>Cheap to ask: whether a local or a collection gets the task at all.</summary>
    public static bool MayBe(TaskUse use) => use.Kind is TaskUseKind.Local or TaskUseKind.Collected;

    /// <param name="task">The work, which need not be the call whose task is held.</param>
    /// <param name="use">What becomes of the task.</param>
    /// <param name="body">The code.</param>
    public static PendingTask? Of(DbTask task, TaskUse use, FlowBody body)
    {
        var isHeld = use.Kind == TaskUseKind.Local || (use.Kind == TaskUseKind.Collected && body.Symbols.IsSequenceOfTasks(use.Local!.Type));
        return isHeld && !(IsOfProject(task, body) && IsAwaitedInFinally(use.Local!)) ? new PendingTask(task, use, body) : null;
    }

    /// <summary>Walks on from the task and shows the first work on the same root of each path.</summary>
    public void Follow(Action<DbTask> found) => Follow(_first.Call, found);

    /// <param name="start">The call whose task is held.</param>
    /// <param name="found">Called with the second work.</param>
    public void Follow(IInvocationOperation start, Action<DbTask> found)
    {
        // A collection may get the same work again in the next turn of a loop.
        if (_mayRepeat || _body.Invocations.Any(other => other != _first.Call && _body.WorkOf(other) is { } second && second.Root.IsSameAs(_first.Root)))
        {
            _body.WalkFrom(start)?.Run(operation => Visit(operation, start, found), _first.Root.Symbol, _holder);
        }
    }

    private bool Visit(IOperation operation, IInvocationOperation start, Action<DbTask> found)
    {
        if (IsLookedAt(operation) || _body.Symbols.TakesTurn(operation))
        {
            return false;
        }

        if (WorkAt(operation) is not { } second)
        {
            return true;
        }

        if (operation.Syntax != start.Syntax || _mayRepeat)
        {
            found(second.Call.Syntax == _first.Call.Syntax ? _first : second);
        }

        return false;
    }

    // By the operation itself, or by code that it starts beside the rest.
    private DbTask? WorkAt(IOperation operation)
        => _body.WorkOf(operation) is { } work && work.Root.IsSameAs(_first.Root) ? work
            : _body.Original(operation) is { } call ? DeferredFunction.WorkOf(call, _body).FirstOrDefault(deferred => deferred.Root.IsSameAs(_first.Root))
            : null;

    // Any mention of the holder may be an await; but to be assigned or added to, or to stand in the list of a WhenAll that is still being made, is none.
    private bool IsLookedAt(IOperation operation) => operation switch
    {
        ILocalReferenceOperation local => IsHolder(local) && !IsBeingGathered(local),
        IInvocationOperation call when _body.Symbols.IsCombinator(call.TargetMethod) => Captures.Mentions(call.Syntax, _holder),
        _ => Captures.MayUse(operation, _holder),
    };

    // What is begun by a method of the project and ended in finally is something like a lock.
    private static bool IsOfProject(DbTask task, FlowBody body) => !body.TryGetOperation(task.Call, out _);

    private static bool IsAwaitedInFinally(ILocalSymbol holder)
        => holder.DeclaringSyntaxReferences.SelectMany(declaration => Assignments.MemberOf(declaration.GetSyntax()).DescendantNodes().OfType<FinallyClauseSyntax>())
            .Any(clause => Captures.Mentions(clause, holder));

    private bool IsHolder(ILocalReferenceOperation local) => !local.IsDeclaration && SymbolEqualityComparer.Default.Equals(local.Local, _holder);

    private bool IsBeingGathered(IOperation reference)
    {
        if ((reference.Parent is ISimpleAssignmentOperation assignment && assignment.Target == reference)
            || (_isCollection && ((reference.Parent is IInvocationOperation add && add.Instance == reference && TaskUse.IsAdding(add.TargetMethod)) || reference.Parent is IArrayElementReferenceOperation { Parent: ISimpleAssignmentOperation })))
        {
            return true;
        }

        for (var parent = reference.Parent; parent is not null; parent = parent.Parent)
        {
            switch (parent)
            {
                case IConversionOperation or IArrayInitializerOperation or IArrayCreationOperation or ICollectionExpressionOperation or IArgumentOperation:
                    continue;
                case IInvocationOperation call:
                    return _body.Symbols.IsCombinator(call.TargetMethod);
                default:
                    return false;
            }
        }

        return false;
    }
}
