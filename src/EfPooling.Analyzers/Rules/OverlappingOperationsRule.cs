using EfPooling.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace EfPooling.Analyzers.Rules;

/// <summary>
/// EFP0002: an operation that starts while another one on the same context or connection may still be running. Either both are parts
/// of one expression, or the first is in a local or collection that nothing has looked at since, or a lambda starts one per element.
/// </summary>
internal sealed class OverlappingOperationsRule() : FlowRule(Descriptors.OverlappingOperations)
{
    public override void Check(FlowBody body)
    {
        var reported = new HashSet<SyntaxNode>();
        foreach (var operation in body.All)
        {
            switch (operation)
            {
                case IInvocationOperation call:
                    if (call.Arguments.Length > 1)
                    {
                        CheckElements(call.Arguments.Select(argument => argument.Value), body, reported);
                    }

                    CheckPending(call, body, reported);
                    CheckProjection(call, body, reported);
                    break;
                case IArrayInitializerOperation array:
                    CheckElements(array.ElementValues, body, reported);
                    break;
                case ICollectionExpressionOperation collection:
                    CheckElements(collection.Elements, body, reported);
                    foreach (var spread in collection.Elements.OfType<ISpreadOperation>().Where(spread => body.Symbols.IsSequenceOfTasks(spread.Operand.Type)))
                    {
                        CheckProjection(spread.Operand, body, reported);
                    }

                    break;
                case IObjectOrCollectionInitializerOperation initializer:
                    CheckElements(initializer.Initializers.OfType<IInvocationOperation>().Where(add => add.Arguments.Length == 1).Select(add => add.Arguments[0].Value), body, reported);
                    break;
                case ITupleOperation tuple:
                    CheckElements(tuple.Elements, body, reported);
                    break;
            }
        }
    }

    // WhenAll(db.A.CountAsync(), db.B.CountAsync()): both run before anything can await them.
    private void CheckElements(IEnumerable<IOperation> elements, FlowBody body, HashSet<SyntaxNode> reported)
    {
        var running = new List<DbTask>();
        foreach (var element in elements)
        {
            if (body.WorkOf(TaskUse.Inner(element)) is not { ReturnsTask: true } task)
            {
                continue;
            }

            if (running.Find(other => other.Root.IsSameAs(task.Root)) is { } first)
            {
                Report(task, first, body, reported);
            }
            else
            {
                running.Add(task);
            }
        }
    }

    // var a = db.A.CountAsync(); var b = db.B.CountAsync();
    private void CheckPending(IInvocationOperation call, FlowBody body, HashSet<SyntaxNode> reported)
    {
        var use = TaskUse.Of(call);
        if (PendingTask.MayBe(use) && body.WorkOf(call) is { ReturnsTask: true } first && PendingTask.Of(first, use, body) is { } pending)
        {
            pending.Follow(second => Report(second, first, body, reported));
        }
    }

    // WhenAll(ids.Select(id => db.Orders.FindAsync(id)))
    private void CheckProjection(IInvocationOperation call, FlowBody body, HashSet<SyntaxNode> reported)
    {
        if (call.Arguments.Length > 0 && (body.Symbols.IsCombinator(call.TargetMethod) || TaskProjection.IsRunBy(call, body)))
        {
            CheckProjection(call.Arguments[0].Value, body, reported);
        }
    }

    private void CheckProjection(IOperation tasks, FlowBody body, HashSet<SyntaxNode> reported)
    {
        if (TaskProjection.Of(tasks, body) is not var (function, inside) || inside.SharedWorkIn(function).Count == 0 || SharedWork.IsSerialized(function, inside))
        {
            return;
        }

        foreach (var work in inside.SharedWorkIn(function))
        {
            Report(work, work, body, reported);
        }
    }

    private void Report(DbTask second, DbTask first, FlowBody body, HashSet<SyntaxNode> reported)
    {
        if (reported.Add(second.Call.Syntax))
        {
            var what = first == second ? "the one for another element" : $"'{first.Name}'";
            body.Report(Descriptor, second.Call.Syntax, first.Call.Syntax, second.Name, what, second.Root.Name());
        }
    }
}
