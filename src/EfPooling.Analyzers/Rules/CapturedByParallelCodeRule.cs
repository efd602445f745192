using EfPooling.Analyzers.Flow;
using EfPooling.Analyzers.Symbols;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0007: code that runs beside the rest works on a context or connection from outside it. Lambdas are reported where the work is,
/// methods and local functions where they are passed on.
/// </summary>
internal sealed class CapturedByParallelCodeRule() : FlowRule(Descriptors.CapturedByParallelCode)
{
    public override void Check(FlowBody body)
    {
        if (!body.All.Any(operation => operation is IDelegateCreationOperation))
        {
            return;
        }

        var reported = new HashSet<SyntaxNode>();
        foreach (var deferred in body.All.SelectMany(operation => DeferredCode.Of(operation, body.Symbols)).ToList())
        {
            if (DeferredFunction.Of(deferred.Code, body) is not ({ } function, { } inside)
                || inside.SharedWorkIn(function) is not { Count: > 0 } shared || SharedWork.IsSerialized(function, inside))
            {
                continue;
            }

            foreach (var work in shared.Where(work => RunsBesideOthers(deferred, function, work, body)))
            {
                var place = deferred.Code.Target is IAnonymousFunctionOperation ? work.Call.Syntax : deferred.Code.Syntax;
                if (reported.Add(place))
                {
                    body.Report(Descriptor, place, deferred.Site.Syntax, work.Name, work.Root.Name(), deferred.Runner);
                }
            }
        }
    }

    private static bool RunsBesideOthers(DeferredCode deferred, IOperation function, DbTask work, FlowBody body) => deferred.Kind switch
    {
        DeferredKind.Repeated => true,
        DeferredKind.Once => !IsGivenAway(work, function, body) && !IsJoined(deferred.Site, body),
        DeferredKind.Sibling => IsSharedBy(DeferredCode.Of(deferred.Site, body.Symbols).TakeWhile(other => other.Code != deferred.Code), work, body),
        _ => IsUnobserved((IInvocationOperation)deferred.Site, work, body) && !IsGivenAway(work, function, body),
    };

    // Task.Run whose task is awaited at once, or before anything else uses the context, runs after all in the ordinary order.
    private static bool IsUnobserved(IInvocationOperation call, DbTask work, FlowBody body)
    {
        var use = TaskUse.Of(call);
        switch (use.Kind)
        {
            case TaskUseKind.Statement or TaskUseKind.Discarded:
                return true;
            case TaskUseKind.Local:
                return IsOvertaken(call, work, use, body);
            case TaskUseKind.Collected:
                return LoopAround(call) is { } loop ? work.Root.IsOutside(loop.Syntax) && !SharedWork.IsSerialized(loop, body) : IsOvertaken(call, work, use, body) || HasSibling(use.Outermost, work, body);
            default:
                return HasSibling(use.Outermost, work, body);
        }
    }

    // Something else uses the context while the task is running. Of siblings, the later one is reported.
    private static bool IsOvertaken(IInvocationOperation call, DbTask work, TaskUse use, FlowBody body)
    {
        var isOvertaken = false;
        PendingTask.Of(work, use, body)?.Follow(call, second => isOvertaken |= !Siblings.Of(use.Outermost).Any(other => other.Syntax.Span.Contains(second.Call.Syntax.Span)));
        return isOvertaken;
    }

    // WhenAll(Task.Run(() => db.A()), Task.Run(() => db.B())), or beside a plain operation
    private static bool HasSibling(IOperation element, DbTask work, FlowBody body)
    {
        var elements = Siblings.Of(element);
        var earlier = elements.TakeWhile(other => other != element).Select(TaskUse.Inner).ToList();
        return earlier.Exists(other => body.WorkOf(other) is { ReturnsTask: true } plain && plain.Root.IsSameAs(work.Root))
            || IsSharedBy(earlier.SelectMany(other => DeferredCode.Of(other, body.Symbols)), work, body);
    }

    private static ILoopOperation? LoopAround(IOperation operation)
    {
        for (var parent = operation.Parent; parent is not (null or IAnonymousFunctionOperation or ILocalFunctionOperation); parent = parent.Parent)
        {
            if (parent is ILoopOperation loop)
            {
                return loop;
            }
        }

        return null;
    }

    // var thread = new Thread(…); thread.Start(); thread.Join();
    private static bool IsJoined(IOperation site, FlowBody body)
        => TaskUse.LocalOfResult(site, returnsTask: false) is { } thread
            && MemberOperations.Of(body.Block).UsesOf(thread).Any(use => use.Parent is IInvocationOperation { TargetMethod.Name: "Join" } call && call.Instance == use);

    // A local that nobody else mentions belongs to the code that gets it; and so does what that code disposes of, and the type's own connection beside the pool.
    private static bool IsGivenAway(DbTask work, IOperation function, FlowBody body)
        => (work.Root.Symbol is ILocalSymbol { IsUsing: false } local
            && !MemberOperations.Of(body.Block).UsesOf(local).Any(reference => !reference.IsDeclaration && !function.Syntax.Span.Contains(reference.Syntax.Span)))
            || (work.Root.Symbol is not ILocalSymbol { IsUsing: true } && Ownership.IsDisposedOf(work.Root, function))
            || work.Root is { Symbol: IFieldSymbol { DeclaredAccessibility: Accessibility.Private }, Origin: ConnectionOrigin.Dedicated };

    private static bool IsSharedBy(IEnumerable<DeferredCode> others, DbTask work, FlowBody body)
        => others.Any(other => DeferredFunction.Of(other.Code, body) is ({ } function, { } inside) && inside.SharedWorkIn(function).Any(item => item.Root.IsSameAs(work.Root)));
}
